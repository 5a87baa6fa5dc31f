// What somebody types or chooses.
import type { Signal } from "@preact/signals";

export function Field({ id, label, value, mode = "decimal" }: { id: string; label: string; value: Signal<string>; mode?: "decimal" | "text" }) {
  return (
    <label for={id}>
      {label}
      <input
        id={id}
        inputMode={mode}
        autocomplete="off"
        spellcheck={false}
        value={value.value}
        onInput={({ currentTarget }) => {
          value.value = currentTarget.value;
        }}
      />
    </label>
  );
}

/** One of several, by their names; the value is its place. */
export function Choice({ id, label, value, names }: { id: string; label: string; value: Signal<number>; names: readonly string[] }) {
  return (
    <div class="field">
      {/* Beside it, so that its name is not all that can be chosen. */}
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value.value}
        onChange={({ currentTarget }) => {
          value.value = Number(currentTarget.value);
        }}
      >
        {names.map((each, place) => (
          <option key={each} value={place}>{each}</option>
        ))}
      </select>
    </div>
  );
}

export function Tick({ id, label, value }: { id: string; label: string; value: Signal<boolean> }) {
  return (
    <label for={id} class="tick">
      <input
        id={id}
        type="checkbox"
        checked={value.value}
        onChange={({ currentTarget }) => {
          value.value = currentTarget.checked;
        }}
      />
      {label}
    </label>
  );
}
