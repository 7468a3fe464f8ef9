"""The task runner that runs commands in containers, by the API of a Docker engine. The registry imports it by name.

`runner` is the plugin; `engine` finds and asks the engine; `container` runs one; `files` go in and out as archives;
`leftovers` tells the containers of processes that died; `instead` runs commands here where there is no engine.
"""

from nbflow.runners.docker.runner import Docker

__all__ = ["Docker"]
