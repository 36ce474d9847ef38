import { Counter } from "./counter.jsx";
export default function Home() {
  return (
    <main>
      <h1>On the water</h1>
      <p style={{ color: "darkgreen" }}>Outings on Sunday.</p>
      <Counter />
      <a href="/notes/spring/">Notes</a>
    </main>
  );
}
