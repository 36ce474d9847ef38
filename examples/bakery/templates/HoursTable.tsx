import { Image } from "curtainwall/template";
import { dayNames, hours } from "../hours.ts";

/** Monday first, as the card on the door has it. */
const week = [1, 2, 3, 4, 5, 6, 0] as const;

/** Opening hours, and the map. */
export function HoursTable() {
  return (
    <div class="visit wide">
      <section aria-labelledby="hours">
        <h2 id="hours">Opening hours</h2>
        <p class="open-now" data-open-now hidden />
        <table class="hours">
          <tbody>
            {week.map((day) => {
              const time = hours[day] ?? null;
              return (
                <tr key={day} data-day={day}>
                  <th scope="row">{dayNames[day]}</th>
                  <td>{time === null ? "Closed, we sleep" : `${time[0]} – ${time[1]}`}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
        <p class="small">Closed on Christmas Day, Boxing Day and New Year’s Day.</p>
      </section>
      <Image
        src="pictures/map.svg"
        alt="Map: the shop stands where Weir Lane meets the river path, five minutes from the station over the footbridge."
      />
    </div>
  );
}
