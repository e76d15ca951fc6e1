"""Speaks hashicorp/go-plugin's handshake and serves a game or an agent over gRPC."""

from __future__ import annotations

import base64
import datetime
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc

from . import game_pb2 as pb
from ._agent import Act, answer_all
from ._game import Game
from ._plain import Plain
from ._vector import VectorGame, Vectorised

COOKIE = ("AGON_PLUGIN", "f2a9e6a6-game")
HOST = "AGON_HOST"  # the number of its process: a shell or another runner may stand between
PROTOCOL = 1
MESSAGE = 64 << 20


def serve(kind: type[Game] | type[VectorGame]) -> None:
    """Serves a game to the Agon that started this program, until that ends."""
    listen(Desks(kind).routes, f"serves a game: agon plugin check 'plugin:python {sys.argv[0]}'")


def serve_agent(act: Act) -> None:
    """Serves an agent to the Agon that started this program, until that ends.

    The function is called once for every decision, one at a time. An exception is a
    game lost for nobody: it is played again, and the tournament ends if that does not help.
    """
    listen(
        {"/agon.v1.Agent/Act": handler(pb.ActRequest, lambda request: answer_all(act, request))},
        f"serves an agent: agon tournament GAME random 'plugin:python {sys.argv[0]}'",
    )


def listen(routes: dict[str, grpc.RpcMethodHandler], purpose: str) -> None:
    """Shakes hands with the host and answers its calls until it ends."""
    if os.environ.get(COOKIE[0]) != COOKIE[1]:
        sys.exit(f"this program is a plugin of Agon and {purpose}")
    offered = os.environ.get("PLUGIN_PROTOCOL_VERSIONS", str(PROTOCOL)).split(",")
    if str(PROTOCOL) not in offered:
        sys.exit(f"the host speaks the versions {','.join(offered)} of the protocol, this kit {PROTOCOL}: upgrade agon-game")
    parent, host = os.getppid(), int(os.environ.get(HOST, "0"))
    server = grpc.server(
        ThreadPoolExecutor(max_workers=1),
        options=[("grpc.max_receive_message_length", MESSAGE), ("grpc.max_send_message_length", MESSAGE)],
    )
    done = threading.Event()
    server.add_generic_rpc_handlers((Service(routes, done),))
    # readable for this user alone, and in the host's own folder, which it removes even after it killed us
    folder = tempfile.mkdtemp(prefix="agon-plugin", dir=os.environ.get("PLUGIN_UNIX_SOCKET_DIR"))
    path = os.path.join(folder, "socket")
    credentials, certificate = identity()
    if credentials is None:
        server.add_insecure_port("unix:" + path)
    else:
        server.add_secure_port("unix:" + path, credentials)
    server.start()
    print(f"1|{PROTOCOL}|unix|{path}|grpc|{certificate}", flush=True)
    os.dup2(2, 1)  # what the author's code prints goes to the log: nobody reads this pipe any more
    try:
        while not done.wait(0.5):
            if os.getppid() != parent or not lives(host):  # the host was killed
                break
    except KeyboardInterrupt:
        pass
    server.stop(0.2).wait()
    if os.path.exists(path):
        os.remove(path)
    os.rmdir(folder)


def lives(pid: int) -> bool:
    """Whether there is a process of a number, where the system tells."""
    if pid <= 0 or os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def identity() -> tuple[grpc.ServerCredentials | None, str]:
    """A certificate of our own, trusted by the host for as long as this process lives.

    Without the package cryptography there is none, and the socket's folder, which
    only this user can open, is all that guards it.
    """
    client = os.environ.get("PLUGIN_CLIENT_CERT")
    if not client:
        return None, ""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    except ImportError:
        print("the package cryptography is not installed: the connection is not encrypted", file=sys.stderr)
        return None, ""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1)).not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    credentials = grpc.ssl_server_credentials(
        [(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
            certificate.public_bytes(serialization.Encoding.PEM),
        )],
        root_certificates=client.encode(), require_client_auth=True,
    )
    return credentials, base64.b64encode(der).decode().rstrip("=")


class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Routes calls to the author's code, and those of go-plugin itself."""

    def __init__(self, routes: dict[str, grpc.RpcMethodHandler], done: threading.Event) -> None:
        self.done = done
        self.routes = {
            **routes,
            # 1 is SERVING; messages of no fields are no bytes
            "/grpc.health.v1.Health/Check": grpc.unary_unary_rpc_method_handler(lambda request, context: b"\x08\x01"),
            "/plugin.GRPCController/Shutdown": grpc.unary_unary_rpc_method_handler(self.shutdown),
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        return self.routes.get(handler_call_details.method)

    def shutdown(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.done.set()
        return b""


def handler(request: Any, answer: Callable[[Any], Any]) -> grpc.RpcMethodHandler:
    """Answers a call; an exception becomes an error that tells the author."""

    def call(message: Any, context: grpc.ServicerContext) -> Any:
        try:
            return answer(message)
        except Refused as e:
            refuse(context, str(e))
        except Exception as e:  # noqa: BLE001 - the host tells it to the author
            context.abort(grpc.StatusCode.INTERNAL, f"{type(e).__name__}: {e}")

    return grpc.unary_unary_rpc_method_handler(
        call, request_deserializer=request.FromString, response_serializer=lambda reply: reply.SerializeToString())


class Refused(Exception):
    """What the user asked for is not there."""


class Desks:
    """The desks of a game, by parameters. A game is asked one thing at a time."""

    def __init__(self, kind: type[Game] | type[VectorGame]) -> None:
        self.kind = kind
        self.lock = threading.Lock()
        self.desks: dict[str, Plain | Vectorised] = {}
        self.routes = {
            "/agon.v1.Game/Describe": self.route(pb.DescribeRequest, lambda desk, request: desk.describe()),
            "/agon.v1.Game/Step": self.route(pb.StepRequest, lambda desk, request: desk.step(request)),
            "/agon.v1.Game/Speak": self.route(pb.SpeakRequest, lambda desk, request: desk.speak(request)),
        }

    def route(self, request: Any, answer: Callable[[Any, Any], Any]) -> grpc.RpcMethodHandler:
        def call(message: Any) -> Any:
            with self.lock:
                return answer(self.desk(message.params), message)

        return handler(request, call)

    def desk(self, params: str) -> Plain | Vectorised:
        desk = self.desks.get(params)
        if desk is None:
            try:
                values = parse(params)
                desk = Vectorised(self.kind, values) if issubclass(self.kind, VectorGame) else Plain(self.kind, values)
            except Exception as e:  # noqa: BLE001 - the host tells it to the user
                raise Refused(f"parameters ({params}): {type(e).__name__}: {e}") from e
            self.desks[params] = desk
        return desk


def refuse(context: grpc.ServicerContext, text: str) -> NoReturn:
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)
    raise AssertionError("abort raises")


def parse(params: str) -> dict[str, Any]:
    """Reads rows=5,name=x into keyword arguments: numbers and truth values as such."""
    out: dict[str, Any] = {}
    for part in filter(None, params.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{part!r}: expected name=value")
        out[key.strip()] = literal(value.strip())
    return out


def literal(value: str) -> Any:
    if value in ("true", "false"):
        return value == "true"
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            pass
    return value.strip('"')
