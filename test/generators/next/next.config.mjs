export default {
  output: "export",
  trailingSlash: true,
  // Next looks for the uppermost lockfile, which would be that of the repository around it.
  turbopack: { root: import.meta.dirname },
};
