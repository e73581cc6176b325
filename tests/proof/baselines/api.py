"""The eight guarded calls as anybody would write them in an hour: a bare client of the provider, and no guard."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from tests.proof.wire.ground import provider

from paperspace_mcp.simulator import Simulator

PEOPLE = {"anna@example.com": "ur7p0nb7n", "ben@example.com": "ub3n7q2xd", "diya@example.com": "ud1yam5t2"}
Plain = Callable[..., Awaitable[str]]


class Api:
    """The provider, as it is. A machine is named by id or by name; the first of a name is taken."""

    def __init__(self, sim: Callable[[], Simulator]) -> None:
        headers = {"Authorization": "Bearer demo-key"}
        transport = httpx.ASGITransport(provider(sim))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://double.test/v1", headers=headers)

    async def _id(self, machine: str) -> str:
        found = (await self.http.get("/machines", params={"name": machine})).json()["items"]
        return str(found[0]["id"]) if found else machine

    async def _sent(self, method: str, path: str, body: dict[str, Any] | None = None) -> str:
        return (await self.http.request(method, path, json=body or {})).text

    async def create_machine(
        self,
        name: str,
        machine_type: str,
        template_id: str,
        region: str,
        disk_size_gb: int,
        accessor_ids: list[str] | None = None,
    ) -> str:
        """Create a machine."""
        body = {"name": name, "machineType": machine_type, "templateId": template_id, "region": region}
        people = {"accessorIds": [PEOPLE.get(one, one) for one in accessor_ids]} if accessor_ids else {}
        return await self._sent("POST", "/machines", {**body, "diskSize": disk_size_gb, **people})

    async def start_machine(self, machine: str) -> str:
        """Start a machine."""
        return await self._sent("PATCH", f"/machines/{await self._id(machine)}/start")

    async def stop_machine(self, machine: str) -> str:
        """Stop a machine."""
        return await self._sent("PATCH", f"/machines/{await self._id(machine)}/stop")

    async def restart_machine(self, machine: str) -> str:
        """Restart a machine."""
        return await self._sent("PATCH", f"/machines/{await self._id(machine)}/restart")

    async def update_machine(
        self, machine: str, auto_shutdown_enabled: bool | None = None, disk_size_gb: int | None = None
    ) -> str:
        """Change a machine's settings."""
        given = {"autoShutdownEnabled": auto_shutdown_enabled, "diskSize": disk_size_gb}
        body = {name: value for name, value in given.items() if value is not None}
        return await self._sent("PUT", f"/machines/{await self._id(machine)}", body)

    async def delete_machine(self, machine: str) -> str:
        """Delete a machine."""
        return await self._sent("DELETE", f"/machines/{await self._id(machine)}")

    async def add_machine_accessor(self, machine: str, user: str) -> str:
        """Give a person access."""
        path = f"/machines/{await self._id(machine)}/accessors"
        return await self._sent("POST", path, {"userId": PEOPLE.get(user, user)})

    async def remove_machine_accessor(self, machine: str, user: str) -> str:
        """Take a person's access away."""
        return await self._sent("DELETE", f"/machines/{await self._id(machine)}/accessors/{PEOPLE.get(user, user)}")

    @property
    def tools(self) -> tuple[Plain, ...]:
        return (
            self.create_machine,
            self.start_machine,
            self.stop_machine,
            self.restart_machine,
            self.update_machine,
            self.delete_machine,
            self.add_machine_accessor,
            self.remove_machine_accessor,
        )
