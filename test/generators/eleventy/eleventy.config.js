export default function (config) {
  config.addPassthroughCopy({ static: "/" });
  return { dir: { input: "content", output: "dist" }, markdownTemplateEngine: "njk" };
}
