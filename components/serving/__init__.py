"""The app served as the Hub serves models: `huggingface_hub.InferenceClient` works against it.

    InferenceClient(model="http://localhost:7860/inference/text-classification/starter/sentiment")
    InferenceClient(base_url="http://localhost:7860/inference")  # chat completions, with the model in the request

Requests and answers are those of the Inference API, of Text Generation Inference where text is generated, and of
OpenAI's chat completions. A visitor is known by the bearer token of the request.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.service.tasks import find_task
from components.service.workbench import Workbench
from components.serving import chat, generation, tasks
from components.serving.http import endpoint, read_json

_CHAT = ("/v1/chat/completions", "/chat/completions")


def inference_routes(bench: Workbench) -> list[Route]:
    """The routes under `/inference`."""

    async def complete(request: Request) -> Response:
        """`POST /inference/v1/chat/completions`: a chat with the model that the body names."""
        payload = await read_json(request, bench.settings)
        return await chat.complete(bench, request, str(payload.get("model") or ""), payload)

    async def run(request: Request) -> Response:
        """`POST /inference/{task}/{model id}`, and a chat with that model at `/v1/chat/completions` under it."""
        spec, model = find_task(request.path_params["task"]), request.path_params["model"]
        for ending in _CHAT:
            if model.endswith(ending):
                payload = await read_json(request, bench.settings)
                return await chat.complete(bench, request, model.removesuffix(ending), payload)
        if spec.name == "text-generation":
            return await generation.run(bench, request, model)
        return await tasks.run(bench, request, request.path_params["task"], model)

    async def look(request: Request) -> Response:
        """`GET .../health` and `GET .../info`, as `InferenceClient` asks for them."""
        spec, path = find_task(request.path_params["task"]), request.path_params["model"]
        model, _, what = path.rpartition("/")
        if what == "health":
            return JSONResponse({"status": "ok"})
        if what == "info":
            return JSONResponse({"model_id": model, "task": spec.name})
        return JSONResponse({"error": "Send inputs to this address with POST."}, 405, {"Allow": "POST"})

    return [
        Route("/inference/v1/chat/completions", endpoint(complete), methods=["POST"]),
        Route("/inference/{task}/{model:path}", endpoint(run), methods=["POST"]),
        Route("/inference/{task}/{model:path}", endpoint(look), methods=["GET"]),
    ]
