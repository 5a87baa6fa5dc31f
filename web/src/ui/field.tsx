// A number that somebody types.

export function Field({ id, label, value }: { id: string; label: string; value: { value: string } }) {
  return (
    <label for={id}>
      {label}
      <input
        id={id}
        inputMode="decimal"
        autocomplete="off"
        value={value.value}
        onInput={({ currentTarget }) => {
          value.value = currentTarget.value;
        }}
      />
    </label>
  );
}
