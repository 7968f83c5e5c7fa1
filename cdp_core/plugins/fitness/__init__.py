"""Whether a plugin fits this version: what `cdp plugins check` looks at, without a workspace or a network."""
