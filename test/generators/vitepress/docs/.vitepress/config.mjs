export default {
  title: "Rowing club",
  description: "A small club on the river.",
  themeConfig: {
    search: { provider: "local" },
    nav: [{ text: "Notes", link: "/notes" }],
    sidebar: [
      {
        text: "Club",
        items: [
          { text: "Home", link: "/" },
          { text: "Notes", link: "/notes" },
        ],
      },
    ],
  },
};
