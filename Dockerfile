# One image for every role. Without REDIS_URL it runs its own Redis, with the data in the volume.
FROM node:24-bookworm-slim

# tini is process 1: it passes signals on and reaps what a killed worker leaves behind.
RUN apt-get update \
  && apt-get install -y --no-install-recommends redis-server tini \
  && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force
COPY . .

# A named volume takes its owner from this folder.
RUN mkdir .data && chown node:node .data
VOLUME /app/.data
USER node

# Listening beyond the container needs a key: start with -e PARLEY_API_KEY=… or it refuses with that advice.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8300 PARLEY_DATA=/app/.data
EXPOSE 8300

HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

# Running work is finished or parked on SIGTERM; give it longer than drain_s with `docker stop --time` or
# stop_grace_period.
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "node", "bin/parley.mjs"]
CMD ["start"]
