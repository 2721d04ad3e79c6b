"""The pipelines that the verbs run."""
