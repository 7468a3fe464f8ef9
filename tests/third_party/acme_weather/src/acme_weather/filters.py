"""Filters and functions of expressions."""


def fahrenheit(value: object, digits: int = 1) -> float:
    """Degrees Celsius in Fahrenheit.

    Example: `{{ 100 | fahrenheit }}` gives `212.0`
    """
    return round(float(str(value)) * 9 / 5 + 32, int(digits))


def unlucky(value: object) -> object:
    """Fail, whatever the value is."""
    raise RuntimeError(f"no luck with {value}")


def wind_chill(degrees: object, wind: object = 0) -> float:
    """How cold it feels.

    Example: `{{ wind_chill(10, wind=20) }}` gives `6.0`
    """
    return float(str(degrees)) - float(str(wind)) / 5
