// An example, and off: files whose name begins with "_" are not loaded. Copy it to a name without "_" to try it.
// What a tool can do, and what `effect` means, stands in docs/writing-tools.md.
import { defineTool, InvalidInput, z } from "#parley/tools";

export const convertTemperature = defineTool({
  name: "convert_temperature",
  description: "Converts a temperature between degrees Celsius and Fahrenheit.",
  effect: "read",
  input: z.object({
    degrees: z.number(),
    from: z.enum(["celsius", "fahrenheit"]).describe("The scale of `degrees`"),
  }),
  run({ degrees, from }) {
    const celsius = from === "celsius" ? degrees : (degrees - 32) / 1.8;
    if (celsius < -273.15) throw new InvalidInput("There is no temperature below absolute zero");
    return { celsius: round(celsius), fahrenheit: round(celsius * 1.8 + 32) };
  },
});

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
