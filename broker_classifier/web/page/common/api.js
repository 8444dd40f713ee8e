// Questions to the server; what goes wrong is an error with a sentence for people.

export async function ask(path, signal) {
  let response;
  try {
    response = await fetch(path, { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer. The page goes on by itself when it does.");
  }
  if (response.ok) return response.json();
  if (response.status === 429) throw new Error("Too many requests at once; wait a moment.");
  const content = await response.json().catch(() => ({}));
  throw new Error(content.error ?? `The server answers with ${response.status}.`);
}

export const objectPath = (row) =>
  `/object/${encodeURIComponent(row.survey)}/${encodeURIComponent(row.object_id)}`;

/** The address's query as an object without empty values. */
export function query() {
  return Object.fromEntries([...new URLSearchParams(location.search)].filter(([, value]) => value));
}

/** Keep a query in the address, without a new entry in the history. */
export function keepQuery(values) {
  const given = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(given).toString();
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
}

export const withQuery = (path, values) => {
  const text = new URLSearchParams(Object.entries(values).filter(([, value]) => value)).toString();
  return text ? `${path}?${text}` : path;
};
