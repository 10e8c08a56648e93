"""Accounts as the rest of the program sees them: the parts wired together."""

from __future__ import annotations

from collections.abc import Callable

from accounts import account_store, links, mail, providers, refusals
from accounts.administration import AdministrationDesk
from accounts.core import Block, Core, Know, access_account
from accounts.factors import FactorDesk
from accounts.login import LogInDesk
from accounts.oauth import OAuthDesk
from accounts.passwords import Passwords
from accounts.profiles import ProfileDesk
from accounts.rates import Gate, LocalGate
from accounts.rates_redis import RedisGate
from accounts.recovery import RecoveryDesk
from accounts.registration import RegistrationDesk
from accounts.revoking import Revoking
from accounts.sessions import SessionDesk
from tertulia.bus import Bus
from tertulia.catalogue import Account, LinkInfo, LookAtLink
from tertulia.database import Database
from tertulia.settings import Settings
from tertulia.tokens import Principal, Tokens


class AccountsService:
    """Who people are.

    :param know: see :data:`accounts.core.Know`
    :param block: see :data:`accounts.core.Block`
    :param closes: closes what somebody has open in this process that their tokens no longer allow
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        bus: Bus,
        tokens: Tokens,
        know: Know,
        block: Block,
        closes: Callable[[str], None],
        gate: Gate | None = None,
        passwords: Passwords | None = None,
    ) -> None:
        self._database = database
        self._revoking = Revoking(database, bus, tokens.revocations, closes)
        self.passwords = passwords or Passwords()
        self.mailer = mail.choose(settings)
        self.gate: Gate = gate or (RedisGate(settings.redis_url) if settings.redis_url else LocalGate())
        self.sessions = SessionDesk(database, tokens, self._revoking, settings.token_secret)
        core = Core(settings, database, self.passwords, self.sessions, self.mailer, self.gate)
        self.factors = FactorDesk(core)
        self.registration = RegistrationDesk(core, know)
        self.log_ins = LogInDesk(core, self.factors)
        self.recovery = RecoveryDesk(core)
        self.profiles = ProfileDesk(core, know, block)
        self.oauth = OAuthDesk(core, know, providers.configured(settings))
        self.administration = AdministrationDesk(core)
        self.owner_link: str | None = None
        """The address by which the first owner comes, while there is none."""

    async def start(self) -> None:
        await self._revoking.start()
        await self.mailer.start()
        self.owner_link = await self.registration.owner_link()

    async def close(self) -> None:
        await self.mailer.close()
        await self._revoking.close()
        await self.gate.close()
        self.passwords.close()

    async def look_at_link(self, asked: LookAtLink) -> LinkInfo:
        """What a link is for, told to whoever holds it. Raises NotFound ``link-invalid``."""
        async with self._database.acquire() as db:
            link = await links.look(db, asked.token, *links.SHOWN)
            account = await account_store.by_id(db, link.account_id) if link and link.account_id else None
        # A link of a reset that no account is behind was never sent.
        if link is None or link.purpose == "ticket" or (link.purpose == "reset" and account is None):
            raise refusals.bad_link()
        return LinkInfo(link.purpose, account.email if account is not None else link.email, link.role)

    async def me(self, principal: Principal) -> Account:
        """The asker's own account. Raises Forbidden ``account-needed``."""
        async with self._database.acquire() as db:
            return (await access_account(db, principal, "profile")).shown()
