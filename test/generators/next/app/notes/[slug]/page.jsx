const notes = { spring: "The jetty is out again.", autumn: "Bring lights." };
export const dynamicParams = false;
export function generateStaticParams() {
  return Object.keys(notes).map((slug) => ({ slug }));
}
export default async function Note({ params }) {
  const { slug } = await params;
  return (
    <main>
      <h1>{slug}</h1>
      <p>{notes[slug]}</p>
    </main>
  );
}
