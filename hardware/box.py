def faults() -> list[str]:
    return []
