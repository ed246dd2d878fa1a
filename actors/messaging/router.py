"""The router of a process: to which replica a message goes, and what becomes of it when that replica dies.

It knows where the replicas are from the directory and learns which ones are alive from its own connections; it never asks Ray, or any other
process, on the way of a message.

- A keyed message goes to the replica that its key chooses among those that are up (rendezvous hashing: when a replica goes, only its
  keys move). Others go to the less busy of two replicas picked at random.
- A message that was never sent goes to another replica, whatever its kind.
- A message whose connection closed after it was sent is sent again, once, if it is a read, or a write: every write that leaves the process
  has a message id, under which the module recorded it if it was carried out. Other messages end in ReplyLost.
- A message that its process died of isn't sent again, whatever its kind: it would take the next process down. On one node a process leaves
  behind what it was doing (`marks.py`); on another node that can't be known, so there a message can take down two processes at most.
- If no replica can be reached, the router waits for one to come back, for a few seconds at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from ssl import SSLContext
from typing import Any

from ...core.errors import DeadlineExceeded, ReplyLost, TookDown, Unavailable, VelellaError
from ...core.ids import ulid
from ...core.logs import logger
from ...core.message import CallContext, Message, call_context, see_write
from ..membership.directory import HOST, Directory, ReplicaAddress, ReplicaId
from .client import Introduction, Lost, NotSent, Outgoing, RayLink, ReplicaLink, SocketLink
from .handles import Send

log = logger("velella.router")

PATIENCE_SECONDS = 5.0
"""Seconds a message waits for a replica to come back. A killed process is back in about a second."""
RESENDS = 1
"""How often a message whose reply was lost is sent again: enough for one killed process; for two at once nothing is
promised."""
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
LOST_SECONDS = 2.0
"""Seconds after which a replica that can't be reached isn't just being restarted: others answer what only it could answer."""

LinkTo = Callable[[ReplicaAddress], ReplicaLink]
LocalSend = Callable[[str, str], Send]
"""(service, method) → the function that sends inside this process."""


class Peer:
    """A replica as this process sees it."""

    __slots__ = ("address", "down_since", "failures", "in_flight", "link", "reviving", "up_again")

    def __init__(self, address: ReplicaAddress, link: ReplicaLink) -> None:
        self.address = address
        self.link = link
        self.in_flight = 0
        self.failures = 0
        self.reviving: asyncio.Task[None] | None = None
        self.down_since = 0.0
        """Monotonic time of the first of these failures."""
        self.up_again = 0.0
        """Monotonic time before which we don't try it again while there are others."""

    @property
    def is_lost(self) -> bool:
        return self.failures > 0 and time.monotonic() - self.down_since >= LOST_SECONDS

    def failed(self, silent: float = 0.0) -> None:
        """`silent`: seconds it had been silent before we gave it up."""
        if self.failures == 0:
            self.down_since = time.monotonic() - silent
        self.failures += 1
        doublings = min(self.failures, 32)  # a peer that is down for long fails thousands of times: more than a float can hold
        self.up_again = time.monotonic() + min(LONGEST_PAUSE, FIRST_PAUSE * 2**doublings)


class Router:
    """Sends messages to services of other processes. One for each host, in its event loop."""

    def __init__(self, me: ReplicaId, link_to: LinkTo, local: LocalSend) -> None:
        self.me = me
        self.directory = Directory()
        self._link_to = link_to
        self._local = local
        self._peers: dict[ReplicaId, Peer] = {}
        self._changed = asyncio.Event()
        self._closed = False
        self.replaced = False
        """Whether another process has our place: then nothing is sent any more."""

    def update(self, directory: Directory) -> None:
        """Replicas came, went or moved. Connections to those that stay are kept."""
        self.directory = directory
        known = {address.replica: address for addresses in directory.services.values() for address in addresses}
        for replica, peer in list(self._peers.items()):
            if known.get(replica) != peer.address:
                del self._peers[replica]
                if peer.reviving is not None:
                    peer.reviving.cancel()
                peer.link.drain()
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        self._closed = True
        for peer in self._peers.values():
            if peer.reviving is not None:
                peer.reviving.cancel()
            peer.link.close()
        self._peers.clear()

    def _failed(self, peer: Peer, error: NotSent | Lost) -> None:
        """A replica can't be reached. Messages that may go elsewhere avoid it until one of our probes has connected."""
        peer.failed(error.silent)
        known = self._peers.get(peer.address.replica) is peer  # else it is removed, with a message of ours inside: it won't come back
        if known and peer.reviving is None and not self._closed:
            peer.reviving = asyncio.get_running_loop().create_task(self._revive(peer))

    async def _revive(self, peer: Peer) -> None:
        try:
            while peer.failures:
                await asyncio.sleep(max(0.0, peer.up_again - time.monotonic()))
                peer.up_again = time.monotonic() + LONGEST_PAUSE + 5.0  # until the probe has answered
                if await peer.link.probe():
                    peer.failures, peer.up_again = 0, 0.0
                else:
                    peer.failed()
        finally:
            peer.reviving = None

    async def knock(self) -> None:
        """Connect to every process we aren't connected to. One that knows our successor tells us."""

        async def one(address: ReplicaAddress) -> None:
            with contextlib.suppress(Unavailable):  # it can't be reached
                await self._peer(address).link.probe()

        await asyncio.gather(*(one(address) for address in self.directory.of_service(HOST) if address.replica != self.me))

    # -- one message
    async def call(self, service: str, method: str, message: Message, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Send a message to the replica it belongs to. Raises the service's error, TooLarge, TookDown, or an Unavailable."""
        context = call_context.get() or CallContext()
        is_write = message.kind == "write"
        if message.counts:
            see_write(service, method)
        message_id = (context.next_message_id() or ulid()) if is_write else None
        fresh = message_id is not None and (context.fresh or context.scope is None)
        outgoing = Outgoing(service, method, args, kwargs, context.trace_id, message_id, fresh)
        key = message.key_of(args, kwargs)
        avoid: set[ReplicaId] = set()
        patience_ends = 0.0
        pause = FIRST_PAUSE
        resends = 0
        busy: VelellaError | None = None
        while True:
            if self.replaced:
                raise Unavailable(f"{self.me} was replaced by another process and sends nothing any more.")
            left = (context.write_deadline() if is_write else context.deadline) - time.monotonic()
            if left <= 0:
                raise DeadlineExceeded(f"{service}.{method} could not be sent in time.")
            address = self._choose(service, key, avoid)
            if address is None:
                if busy is not None:
                    raise busy
                now = time.monotonic()
                patience_ends = patience_ends or now + min(left, PATIENCE_SECONDS)
                if now >= patience_ends:
                    raise Unavailable(f"No replica of {service} answers.", hint="`velella status` shows what is up.")
                await self._pause(min(pause, patience_ends - now))
                pause = min(pause * 2, LONGEST_PAUSE)
                avoid.clear()
                continue
            peer = self._peer(address)
            peer.in_flight += 1
            try:
                result = await peer.link.request(outgoing, left)
            except NotSent as refused:
                if refused.busy is not None:
                    busy = refused.busy
                else:
                    self._failed(peer, refused)
                avoid.add(address.replica)
            except Lost as lost:
                self._failed(peer, lost)
                resends += 1
                if lost.fatal:
                    log.error("a message took its process down", service=service, method=method, replica=str(address.replica))
                    raise TookDown(f"{address.replica} ended while it was busy with {service}.{method}, which is not sent again.") from None
                if message.kind == "call" or resends > RESENDS:
                    raise ReplyLost(f"The answer of {service}.{method} was lost.") from None
                outgoing = outgoing._replace(fresh=False)
                avoid.add(address.replica)
            else:
                peer.failures = 0
                return result
            finally:
                peer.in_flight -= 1

    def _choose(self, service: str, key: Any, avoid: Collection[ReplicaId]) -> ReplicaAddress | None:
        addresses = self.directory.services.get(service, ())
        if key is None and len(addresses) == 1:  # the usual case in small clusters
            return None if addresses[0].replica in avoid else addresses[0]
        usable = [address for address in addresses if address.replica not in avoid]
        if not usable:
            return None
        now = time.monotonic()
        up = [address for address in usable if (peer := self._peers.get(address.replica)) is None or peer.up_again <= now] or usable
        if key is not None:
            return rendezvous(key, up)
        if len(up) == 1:
            return up[0]
        first, second = random.sample(up, 2)
        return first if self._in_flight(first) <= self._in_flight(second) else second

    def _in_flight(self, address: ReplicaAddress) -> int:
        peer = self._peers.get(address.replica)
        return peer.in_flight if peer is not None else 0

    def _peer(self, address: ReplicaAddress) -> Peer:
        peer = self._peers.get(address.replica)
        if peer is None:
            peer = self._peers[address.replica] = Peer(address, self._link_to(address))
        return peer

    async def _pause(self, seconds: float) -> None:
        """Wait until the directory changes, or `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass

    # -- particular replicas
    def replicas(self, service: str) -> list[ReplicaId]:
        """The replicas that answer for a service."""
        return [address.replica for address in self.directory.of_service(service)]

    def replica_for(self, service: str, key: Any) -> ReplicaId | None:
        """The replica that a key chooses: the same in every process that considers the same replicas lost. One that is just restarting
        isn't."""
        addresses = self.directory.of_service(service)
        there = [address for address in addresses if not self.is_lost(address.replica)] or addresses
        return rendezvous(key, there).replica if there else None

    def is_lost(self, replica: ReplicaId) -> bool:
        """Whether we have tried to reach it, in vain, for `LOST_SECONDS`."""
        peer = self._peers.get(replica)
        return peer is not None and peer.is_lost

    async def send_to(self, replica: ReplicaId, service: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Send to one replica only; never repeated. Raises the service's error, Unavailable if it can't be reached, ReplyLost."""
        if self.replaced:
            raise Unavailable(f"{self.me} was replaced by another process and sends nothing any more.")
        address = next((address for address in self.directory.of_service(service) if address.replica == replica), None)
        if address is None:
            raise Unavailable(f"{replica} is not a replica of {service}.")
        if replica == self.me:
            return await self._local(service, method)(*args, **kwargs)
        context = call_context.get() or CallContext()
        peer = self._peer(address)
        peer.in_flight += 1
        try:
            result = await peer.link.request(Outgoing(service, method, args, kwargs, context.trace_id), context.left())
            peer.failures = 0
            return result
        except NotSent as refused:
            if refused.busy is not None:
                raise refused.busy from None
            self._failed(peer, refused)
            raise Unavailable(f"{replica} can't be reached.") from None
        except Lost as lost:
            self._failed(peer, lost)
            raise ReplyLost(f"The answer of {replica} was lost.") from None
        finally:
            peer.in_flight -= 1

    async def broadcast(
        self, service: str, method: str, *args: Any, to: Iterable[ReplicaId] | None = None, seconds: float = 2.0
    ) -> dict[ReplicaId, Any]:
        """Send to every replica of a service (or the given ones), all at once, with `seconds` for each.

        Returns the result, or the VelellaError it ended in, by replica.
        """
        context = (call_context.get() or CallContext()).within(seconds)
        replicas = list(self.replicas(service) if to is None else to)

        async def one(replica: ReplicaId) -> Any:
            call_context.set(context)  # in the task that gather makes
            try:
                return await self.send_to(replica, service, method, *args)
            except VelellaError as error:
                return error

        return dict(zip(replicas, await asyncio.gather(*(asyncio.create_task(one(replica)) for replica in replicas)), strict=True))

    async def reachable(self, services: Iterable[str], seconds: float) -> list[str]:
        """Wait until each service has a replica that answers; returns those that have none after `seconds`."""
        end = time.monotonic() + seconds
        missing = list(services)
        while True:
            missing = [service for service in missing if not await self._answers(service)]
            if not missing or time.monotonic() >= end:
                return missing
            await self._pause(0.1)

    async def _answers(self, service: str) -> bool:
        for address in self.directory.of_service(service):
            if address.replica == self.me:
                return True
            token = call_context.set(CallContext().within(2.0))
            try:
                await self.send_to(address.replica, HOST, "ping")
                return True
            except Unavailable:
                continue
            finally:
                call_context.reset(token)
        return False


def rendezvous(key: Any, addresses: Sequence[ReplicaAddress]) -> ReplicaAddress:
    """The address that a key chooses: highest random weight, so that a lost replica moves only its own keys."""
    text = str(key).encode()
    return max(addresses, key=lambda address: blake2b(text, key=str(address.replica).encode(), digest_size=8).digest())


def socket_links(
    me: ReplicaAddress,
    token: str | None,
    actor: Callable[[str], Any] | None = None,
    introduction: Introduction | None = None,
    tls: SSLContext | None = None,
) -> LinkTo:
    """Links from a process at `me`: a unix socket on the same node, TCP to others, Ray calls where an address has neither.

    `actor` finds a Ray actor by name and returns its batch call; `introduction` is the identity of the process that opens a socket, `tls`
    the encryption of connections to other nodes.
    """

    def link_to(address: ReplicaAddress) -> ReplicaLink:
        same_node = address.node == me.node and address.path is not None
        if same_node or address.port is not None:
            return SocketLink(address, token, same_node, introduction, None if same_node else tls)
        if actor is None or address.actor is None:
            raise Unavailable(f"There is no way to {address.replica}.")
        name = address.actor
        return RayLink(lambda: actor(name))

    return link_to
