import type { Counts, Erasure, PersonalData } from "../kernel/personal-data.ts";
import type { Schedules } from "../kernel/schedules.ts";

/** What is kept of a person as schedules: deleted with their histories, so that nothing fires for who is forgotten. */
export function createScheduleData(schedules: Pick<Schedules, "list" | "delete">): PersonalData {
  const all = async ({ persons }: Erasure) =>
    (await Promise.all(persons.map((person) => schedules.list(person)))).flat();
  const counts = (count: number): Counts => (count === 0 ? {} : { schedules: count });
  return {
    name: "schedules",
    collect: (person) => schedules.list(person),
    count: async (erasure) => counts((await all(erasure)).length),
    async erase(erasure) {
      const found = await all(erasure);
      for (const { id } of found) await schedules.delete(id);
      return { counts: counts(found.length) };
    },
  };
}
