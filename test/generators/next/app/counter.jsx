"use client";
import { useState } from "react";
export function Counter() {
  const [seats, setSeats] = useState(4);
  return (
    <button id="seats" onClick={() => setSeats(seats + 1)}>
      {seats} seats
    </button>
  );
}
