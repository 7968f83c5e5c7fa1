"""Configuration as code: the workspace as a file, the file compared with the workspace, and applied to it."""
