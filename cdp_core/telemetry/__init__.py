"""Traces and metrics of runs by OpenTelemetry; off unless the settings say so."""
