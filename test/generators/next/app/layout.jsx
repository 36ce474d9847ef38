import "./site.css";
export const metadata = { title: "Rowing club", description: "A small club on the river." };
export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <header>
          <a href="/">Rowing club</a>
        </header>
        {children}
      </body>
    </html>
  );
}
