"""Segment members as files: in a folder, S3, Google Cloud Storage, Azure Blob Storage or over SFTP."""
