"""Traces, for OpenTelemetry: what a trace is, the spans that relay makes, and where they are sent to."""
