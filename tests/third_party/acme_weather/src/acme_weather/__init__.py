"""What this package brings to nbflow. Nothing of it is imported until a flow uses it."""

from nbflow.plugins import Catalog

CATALOG = Catalog(
    tasks={
        "acme.weather.Report": "acme_weather.tasks:Report",
        "weather": "acme_weather.tasks:Report",
        "acme.weather.Watch": "acme_weather.tasks:Watch",
        "acme.weather.Stations": "acme_weather.tasks:Stations",
        "acme.weather.Twice": "acme_weather.tasks:Twice",
        "acme.weather.Satellite": "acme_weather.satellite:Satellite",
    },
    triggers={"acme.weather.OnStorm": "acme_weather.parts:OnStorm"},
    conditions={"acme.weather.IsWarm": "acme_weather.parts:IsWarm"},
    runners={"acme.weather.Outdoors": "acme_weather.parts:Outdoors"},
    filters={"fahrenheit": "acme_weather.filters:fahrenheit", "unlucky": "acme_weather.filters:unlucky"},
    functions={"wind_chill": "acme_weather.filters:wind_chill"},
)
