"""A beacon of the tests' own: the scheme of quicknet under a key that stands here."""

from __future__ import annotations

import json
from hashlib import sha256

from py_arkworks_bls12381 import G1Point, G2Point, Scalar
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dropengine.beacon_chain import SCHEME
from dropengine.log.draw.drand import DOMAIN, message
from dropengine.randomness import QUICKNET, BeaconRound, Chain


class OwnBeacon:
    """Signs whatever round it is asked for. secret: its key; another one is another chain."""

    def __init__(self, secret: int = 20_260_704) -> None:
        self._key = Scalar(secret)
        self.chain = Chain(
            public_key=bytes((G2Point() * self._key).to_compressed_bytes()),
            genesis_s=QUICKNET.genesis_s,
            period_s=QUICKNET.period_s,
            group_hash=bytes(32),
            beacon_id="tests",
        )

    def info(self) -> str:
        """What a drand server says of the chain under `/HASH/info`."""
        told = {
            "public_key": self.chain.public_key.hex(),
            "period": self.chain.period_s,
            "genesis_time": self.chain.genesis_s,
            "hash": self.chain.hash,
            "groupHash": self.chain.group_hash.hex(),
            "schemeID": SCHEME,
            "metadata": {"beaconID": self.chain.beacon_id},
        }
        return json.dumps(told)

    def named(self, number: int) -> BeaconRound:
        return self.chain.named(number)

    def signature(self, number: int) -> bytes:
        signed = G1Point.hash_to_curve(message(number), DOMAIN) * self._key
        return bytes(signed.to_compressed_bytes())


class BeaconServer:
    """Tells rounds of a beacon as drand's servers do, up to `newest`. says: what it answers instead
    for some rounds."""

    def __init__(self, beacon: OwnBeacon, newest: int) -> None:
        self.beacon = beacon
        self.newest = newest
        self.says: dict[int, bytes] = {}
        self.asked: list[int] = []
        path = f"/{beacon.chain.hash}/public/{{number:int}}"
        self.app = Starlette(routes=[Route(path, self._tell)])

    async def _tell(self, request: Request) -> Response:
        number = request.path_params["number"]
        self.asked.append(number)
        if number in self.says:
            return Response(self.says[number])
        if number > self.newest:
            return Response("too early", status_code=425)
        signature = self.beacon.signature(number)
        told = {"round": number, "signature": signature.hex()}
        return JSONResponse({**told, "randomness": sha256(signature).hexdigest()})
