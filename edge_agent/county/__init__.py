"""The county operator's side: patrolctl signs commands and watches. Not part of the agent."""
