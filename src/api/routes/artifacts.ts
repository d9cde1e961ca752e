import { createRoute } from "@hono/zod-openapi";
import type { WorkspaceId } from "../../kernel/ids.ts";
import type { Artifact } from "../../store/artifacts.ts";
import { requirePerson } from "../access.ts";
import { requires } from "../auth.ts";
import {
  artifactLinkParamsSchema,
  artifactLinkQuerySchema,
  artifactParamsSchema,
  artifactSchema,
  pageQuerySchema,
  pageSchema,
  workspaceParamsSchema,
} from "../contract.ts";
import { fileContent, failures, json } from "../describe-route.ts";
import { notFound } from "../errors.ts";
import { pageOfList } from "../paging.ts";
import type { Api, ApiParts } from "../parts.ts";
import { showArtifact } from "../show.ts";

const listRoute = createRoute({
  method: "get",
  path: "/v1/workspaces/{user_id}/artifacts",
  summary: "The files made for a person, oldest first",
  middleware: requires("read"),
  request: { params: workspaceParamsSchema, query: pageQuerySchema },
  responses: { 200: json("One page.", pageSchema(artifactSchema)), ...failures(400, 401, 403) },
});

const getRoute = createRoute({
  method: "get",
  path: "/v1/workspaces/{user_id}/artifacts/{id}",
  summary: "What is known of a file, with a link to it",
  middleware: requires("read"),
  request: { params: artifactParamsSchema },
  responses: { 200: json("The file.", artifactSchema), ...failures(400, 401, 403, 404) },
});

const contentRoute = createRoute({
  method: "get",
  path: "/v1/workspaces/{user_id}/artifacts/{id}/content",
  summary: "A file's content",
  middleware: requires("read"),
  request: { params: artifactParamsSchema },
  responses: { 200: fileContent("The content."), ...failures(400, 401, 403, 404) },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/v1/workspaces/{user_id}/artifacts/{id}",
  summary: "Delete a file; links to it stop working",
  middleware: requires("chat"),
  request: { params: artifactParamsSchema },
  responses: { 204: { description: "It is deleted." }, ...failures(400, 401, 403, 404) },
});

const linkRoute = createRoute({
  method: "get",
  path: "/v1/artifacts/{id}/content",
  summary: "A file's content for whoever holds a link to it; no API key is needed",
  security: [],
  request: { params: artifactLinkParamsSchema, query: artifactLinkQuerySchema },
  responses: { 200: fileContent("The content."), ...failures(404) },
});

/** Adds the route of links. It asks for no key, so it stands before the steps that do. */
export function addArtifactLinkRoute(
  api: Api,
  { artifacts, fileLinks }: Pick<ApiParts, "artifacts" | "fileLinks">,
): void {
  api.openapi(
    linkRoute,
    async (c) => {
      const { id } = c.req.valid("param");
      const workspaceId = fileLinks.verify(c.req.valid("query").token, id);
      if (workspaceId === undefined) throw noSuchLink();
      return serve(await readArtifact(artifacts, workspaceId, id), noSuchLink);
    },
    (result) => {
      if (!result.success) throw noSuchLink();
    },
  );
}

/** Adds the routes of the files in people's workspaces. */
export function addArtifactRoutes(api: Api, parts: Pick<ApiParts, "artifacts" | "fileLinks" | "links">): void {
  const { artifacts, fileLinks, links } = parts;
  const show = (userId: WorkspaceId, artifact: Artifact) => showArtifact(artifact, userId, fileLinks);

  api.openapi(listRoute, async (c) => {
    const { user_id: account } = c.req.valid("param");
    requirePerson(c.var.caller, account);
    const userId = await links.resolve(account);
    const page = pageOfList(await artifacts.list(userId), ({ id }) => id, c.req.valid("query"));
    return c.json({ ...page, data: page.data.map((artifact) => show(userId, artifact)) }, 200);
  });

  api.openapi(getRoute, async (c) => {
    const { user_id: account, id } = c.req.valid("param");
    requirePerson(c.var.caller, account);
    const userId = await links.resolve(account);
    const artifact = await artifacts.find(userId, id);
    if (artifact === undefined) throw noArtifact(id);
    return c.json(show(userId, artifact), 200);
  });

  api.openapi(contentRoute, async (c) => {
    const { user_id: account, id } = c.req.valid("param");
    requirePerson(c.var.caller, account);
    const userId = await links.resolve(account);
    return serve(await readArtifact(artifacts, userId, id), () => noArtifact(id));
  });

  api.openapi(deleteRoute, async (c) => {
    const { user_id: account, id } = c.req.valid("param");
    requirePerson(c.var.caller, account);
    const userId = await links.resolve(account);
    if (!(await artifacts.delete(userId, id))) throw noArtifact(id);
    return c.body(null, 204);
  });
}

interface Content {
  readonly artifact: Artifact;
  readonly content: Buffer;
}

async function readArtifact(
  artifacts: ApiParts["artifacts"],
  userId: WorkspaceId,
  id: string,
): Promise<Content | undefined> {
  const [artifact, content] = await Promise.all([artifacts.find(userId, id), artifacts.read(userId, id)]);
  return artifact === undefined || content === undefined ? undefined : { artifact, content };
}

/** As a download: whatever is in the file, a browser keeps it instead of showing it. */
function serve(found: Content | undefined, missing: () => Error): Response {
  if (found === undefined) throw missing();
  const { artifact, content } = found;
  return new Response(new Uint8Array(content), {
    headers: {
      "content-type": artifact.mediaType,
      "content-length": String(content.length),
      "content-disposition": `attachment; filename="${asciiName(artifact.name)}"; filename*=UTF-8''${encodeName(artifact.name)}`,
      "x-content-type-options": "nosniff",
      "cache-control": "private, no-store",
    },
  });
}

function asciiName(name: string): string {
  return name.normalize("NFKD").replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
}

function encodeName(name: string): string {
  return encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function noArtifact(id: string) {
  return notFound(`There is no file ${JSON.stringify(id)}`);
}

/** One answer for every link that does not work: it tells nobody what exists. */
function noSuchLink() {
  return notFound("There is no such file, or the link to it is over");
}
