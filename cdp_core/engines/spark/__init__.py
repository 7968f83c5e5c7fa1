"""The Spark engine: our own rules run on the cluster; staged digests and counts come out."""
