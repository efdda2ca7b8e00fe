"""The fact tables: one YAML file a thing, read into typed shapes.

facts/platforms/    where one can sell: names, stores with their fees, who may sell, how one is paid
facts/payments/     ways to be paid: fees, where they receive and pay out
facts/countries/    sellers' countries: currency, payment services that work there, who helps
facts/destinations/ buyers' countries: duty and tax on parcels
facts/categories.yaml   kinds of goods with the words that people use for them
facts/everywhere.yaml   bodies that help whatever the country
facts/fx.yaml           exchange rates of one day
facts/disputes/     decision guides for trouble after a sale, with the services' procedures and deadlines
facts/recourse.yaml     who can help to settle outside the platforms
facts/choosing.yaml     how platforms are ranked for a seller, and the plan for the first month
facts/routes.yaml       other ways to sell
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from knowledge.choosing import Choosing
from knowledge.disputes import NOBODY, Recourse, Situation
from knowledge.models import LANGUAGES, Confidence, CountryCode, Identifier, PartialDate, Source, Strict
from knowledge.routes import Routes
from knowledge.settings import ROOT
from knowledge.sourced import Area, Page, Prose, Sourced, source_keys
from knowledge.tariff import Amount, CategoryId, CurrencyCode, Fee, Percent, PlanId

FACTS = ROOT / "knowledge" / "facts"


class FactsError(Exception):
    """A fact file is wrong; the message names file and field."""


class Named(Strict):
    """A thing that people call by several names.

    `ambiguous_in` lists languages (ISO 639-1) in which the name or an alias is also an everyday word, so
    that it counts there only when it is written with a capital letter.
    """

    name: str = Field(min_length=2)
    aliases: tuple[str, ...] = ()
    ambiguous_in: tuple[str, ...] = ()


class Reach(Sourced):
    """In which countries something works. `complete`: the source says that its list is whole, so that a
    country which is missing is closed; otherwise nothing is known about it.

    `rule` is a note for maintainers and is never shown.
    """

    open_to: tuple[Area, ...] = ()
    limited_in: tuple[CountryCode, ...] = ()
    closed_to: tuple[CountryCode, ...] = ()
    complete: bool = False
    rule: str | None = None

    @model_validator(mode="after")
    def _clear(self) -> Reach:
        both = (set(self.open_to) | set(self.limited_in)) & set(self.closed_to)
        if both:
            raise ValueError(f"closed_to: {', '.join(sorted(both))} is also open")
        return self


Need = Literal[
    "id-document", "address-proof", "business-registration", "tax-number", "vat-number", "local-company",
    "local-id", "local-bank-account", "bank-account", "payoneer-account", "paypal-account", "credit-card",
    "phone-number", "invitation", "selling-experience", "brand-ownership", "trademark", "product-certificates",
    "eu-returns-address", "local-returns-address", "local-stock", "deposit", "paid-plan", "video-check",
    "handmade-goods", "own-website", "payment-gateway", "local-agent", "application",
]  # fmt: skip
"""What a platform asks for; every one has a translated wording."""


class Sellers(Reach):
    """Who may sell, and what is needed to start."""

    needs: tuple[Need, ...] = ()


class Plan(Strict):
    """A way of selling that the seller chooses, as Individual or Professional; the first is the usual one."""

    id: PlanId
    name: str


class Store(Strict):
    """One site of a platform with its own fees. `currency` None: goods are priced in the seller's choice.
    `aliases` tell it from the platform's other stores where its name is written in another way.

    `buyers` are the countries it sells to. `processing`: `own` when the store's fees include taking the
    payment, `gateway` when the seller needs a payment service of their own.
    """

    id: Annotated[Identifier, Field(max_length=20)]
    name: str
    aliases: tuple[str, ...] = ()
    currency: CurrencyCode | None
    buyers: tuple[Area, ...] = ()
    plans: tuple[Plan, ...] = ()
    processing: Literal["own", "gateway"] = "own"
    sellers: Sellers | None = None
    fees: tuple[Fee, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Store:
        ids = [fee.id for fee in self.fees]
        if len(ids) != len(set(ids)):
            raise ValueError("fees: an id is used twice")
        plans = {plan.id for plan in self.plans}
        for fee in self.fees:
            for unknown in {*fee.plans, *(plan for rate in fee.rates for plan in rate.plans)} - plans:
                raise ValueError(f"fees.{fee.id}.plans: {unknown!r} is no plan of this store")
            for charge in fee.charges:
                needs_currency = charge.fixed or charge.minimum or charge.maximum or charge.tiers
                if needs_currency and not (charge.currency or self.currency):
                    raise ValueError(f"fees.{fee.id}.currency: is missing")
        return self

    def fee(self, id: str) -> Fee | None:
        """The fee with that id."""
        return next((fee for fee in self.fees if fee.id == id), None)


class Payout(Sourced):
    """How sellers in some countries get their money: `to` is `bank-account`, `mobile-money`, `card`, `cash`
    or the id of a payment provider; `every` how often; `hold_days` the longest usual hold."""

    to: Identifier
    sellers: tuple[Area, ...] = ("*",)
    every: tuple[Literal["day", "week", "two-weeks", "ten-days", "month", "order", "request"], ...] = ()
    hold_days: int | None = Field(default=None, ge=0, le=365)
    minimum: Amount | None = None
    currency: CurrencyCode | None = None


class Service(Named):
    """Something that sellers use and documents are tagged with by its `id`. `abbreviations` count only as they are
    written: ML, FB, Ali."""

    id: Identifier
    kind: str
    website: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")
    abbreviations: tuple[str, ...] = ()
    sources: dict[Identifier, Page] = Field(default_factory=dict)

    def source_of(self, key: str, as_of: Any, confidence: Confidence) -> Source:
        """A page of this file as the source of one fact."""
        page = self.sources[key]
        return Source(title=page.title, publisher=page.publisher, url=page.url, as_of=as_of, confidence=confidence)

    @model_validator(mode="after")
    def _sources_are_there(self) -> Service:
        for key in source_keys(self.model_dump()):
            if key not in self.sources:
                raise ValueError(f"source: {key!r} is not among the file's sources")
        return self


class Platform(Service):
    """A place to sell. `closed` is the day it closed. One without stores is known by name only."""

    status: Literal["active", "closed", "unknown"] = "active"
    closed: PartialDate | None = None
    sellers: Sellers | None = None
    stores: tuple[Store, ...] = ()
    payouts: tuple[Payout, ...] = ()

    def store(self, id: str) -> Store | None:
        """The store with that id."""
        return next((store for store in self.stores if store.id == id), None)


class PaymentProvider(Service):
    """A way to be paid: where a seller can receive with it, where it pays out locally, what it takes, how long
    it takes (`days`: least and most working days until the money is there)."""

    status: Literal["active", "closed", "unknown"] = "active"
    receive: Reach | None = None
    withdraw: Reach | None = None
    fees: tuple[Fee, ...] = ()
    days: tuple[int, int] | None = None

    def fee(self, id: str) -> Fee | None:
        """The fee with that id."""
        return next((fee for fee in self.fees if fee.id == id), None)


class Citation(Strict):
    """The page on which an institution's entry rests."""

    title: str
    url: str
    as_of: PartialDate


class Institution(Strict):
    """A body that helps exporters. `confidence` speaks of the name and web address."""

    name: str
    kind: str
    what_for: Prose
    url: str | None
    as_of: PartialDate
    confidence: Confidence
    source: Citation | None = None


class ProviderStatus(Sourced):
    """Whether a payment provider works for sellers in a country. `invite`: by invitation or in a trial only."""

    provider: Identifier
    status: Literal["yes", "limited", "invite", "no"]


class Country(Named):
    """A seller's country (`iso` is ISO 3166 alpha-2) with those who help there, the most fitting first.

    `providers` says of the main payment services whether they work there, `local_options` are others in use.
    """

    iso: CountryCode
    currency: CurrencyCode
    languages: tuple[str, ...]
    institutions: tuple[Institution, ...] = Field(min_length=1)
    sources: dict[Identifier, Page] = Field(default_factory=dict)
    providers: tuple[ProviderStatus, ...] = ()
    local_options: tuple[Identifier, ...] = ()

    @model_validator(mode="after")
    def _sources_are_there(self) -> Country:
        for status in self.providers:
            if status.source not in self.sources:
                raise ValueError(f"providers.{status.provider}.source: {status.source!r} is not among the sources")
        return self


class Duty(Sourced):
    """Customs duty on parcels to consumers. `free_up_to`: no duty on goods up to that value (0: from the first
    unit; None: not known). `per_line`: a flat sum for each tariff class, on consignments up to `per_line_up_to`.
    `flat_percent`: one rate for all goods, up to `flat_up_to`; else the tariff's rate counts.
    `value_with_freight`: the customs value includes freight."""

    free_up_to: Amount | None = None
    per_line: Amount | None = None
    per_line_up_to: Amount | None = None
    flat_percent: Percent | None = None
    flat_up_to: Amount | None = None
    currency: CurrencyCode
    value_with_freight: bool = True
    threshold_takes_all: bool = True


class ImportTax(Sourced):
    """Value added tax, GST or the like on parcels. `free_up_to` as for duty. `with_freight` and `with_duty`: what
    the tax is taken of besides the goods. `inside`: the rate is a share of the total with the tax in it."""

    name: str
    percent: Percent | None = None
    percent_max: Percent | None = None
    free_up_to: Amount | None = None
    currency: CurrencyCode
    with_freight: bool = True
    with_duty: bool = True
    inside: bool = False


class Destination(Strict):
    """A buyers' country or union: what a parcel pays there. `registration_from`: yearly sales there above which a
    foreign seller registers for tax; 0 from the first sale, None not asked or not known.

    `rule` is a note for maintainers and is never shown.
    """

    iso: CountryCode
    name: str
    sources: dict[Identifier, Page]
    duty: Duty
    tax: ImportTax
    marketplace_collects: Literal["yes", "no", "partly", "unknown"] = "unknown"
    registration_from: Amount | None = None
    rule: str

    @model_validator(mode="after")
    def _sources_are_there(self) -> Destination:
        for key in (self.duty.source, self.tax.source):
            if key not in self.sources:
                raise ValueError(f"source: {key!r} is not among the file's sources")
        return self


class Category(Strict):
    """A kind of goods: its name in every language, and words (stems and phrases) by which people name such goods."""

    id: CategoryId
    name: dict[str, str]
    words: dict[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _all_languages(self) -> Category:
        for language in LANGUAGES:
            if not self.name.get(language):
                raise ValueError(f"name.{language}: is missing")
        return self


class ExchangeRates(Strict):
    """Mid-market rates of one day: units of each currency (ISO 4217) for one US dollar.

    `caution`: currencies whose banks or streets pay quite another rate.
    """

    as_of: date
    source: Page
    per_usd: dict[CurrencyCode, Annotated[Decimal, Field(gt=0)]]
    caution: tuple[CurrencyCode, ...] = ()

    def rate(self, source: str, target: str) -> Decimal:
        """Units of `target` for one unit of `source` (ISO 4217).

        Raises:
            KeyError: there is no rate for one of them.
        """
        return Decimal(1) if source == target else self.per_usd[target] / self.per_usd[source]


class Facts(Strict):
    """All fact tables; `everywhere` are bodies that help whatever the seller's country. Those with a default may be
    missing, for a knowledge base that has no such guides."""

    platforms: tuple[Platform, ...]
    payments: tuple[PaymentProvider, ...]
    countries: tuple[Country, ...]
    destinations: tuple[Destination, ...]
    categories: tuple[Category, ...]
    everywhere: tuple[Institution, ...]
    fx: ExchangeRates
    disputes: tuple[Situation, ...] = ()
    recourse: Recourse = Recourse()
    choosing: Choosing | None = None
    routes: Routes = Routes()

    @cached_property
    def _stores(self) -> dict[str, tuple[Platform, Store]]:
        return {store.id: (platform, store) for platform in self.platforms for store in platform.stores}

    def country(self, iso: str | None) -> Country | None:
        """The entry of a seller's country by ISO 3166 alpha-2 code, or None."""
        return next((country for country in self.countries if country.iso == iso), None)

    def platform(self, id: str) -> Platform | None:
        """The platform with that id, or None."""
        return next((platform for platform in self.platforms if platform.id == id), None)

    def provider(self, id: str) -> PaymentProvider | None:
        """The payment provider with that id, or None."""
        return next((provider for provider in self.payments if provider.id == id), None)

    def store(self, id: str) -> tuple[Platform, Store] | None:
        """The store with that id and its platform, or None."""
        return self._stores.get(id)

    def situation(self, id: str | None) -> Situation | None:
        """The decision guide with that id, or None."""
        return next((situation for situation in self.disputes if situation.id == id), None)

    def category(self, id: str) -> Category | None:
        """The kind of goods with that id, or None."""
        return next((category for category in self.categories if category.id == id), None)

    @model_validator(mode="after")
    def _unambiguous(self) -> Facts:
        stores = [store.id for platform in self.platforms for store in platform.stores]
        twice = {id for id in stores if stores.count(id) > 1}
        if twice:
            raise ValueError(f"stores: {', '.join(sorted(twice))} is used twice")
        return self

    @model_validator(mode="after")
    def _guides_name_what_is_there(self) -> Facts:
        platforms, stocked = {each.id for each in self.platforms}, {each.id for each in self.platforms if each.stores}
        services = {*NOBODY, *platforms, *(each.id for each in self.payments)}
        bodies = {body.id for body in self.recourse.bodies}
        named = [(f"disputes.{s.id}.procedures", p.service, services) for s in self.disputes for p in s.procedures]
        named += [(f"disputes.{s.id}.recourse", id, bodies) for s in self.disputes for id in s.recourse]
        named += [
            (f"recourse.{body.id}.services", id, services) for body in self.recourse.bodies for id in body.services
        ]
        named += [
            (f"routes.{route.id}.platforms", id, platforms) for route in self.routes.routes for id in route.platforms
        ]
        candidates = self.choosing.candidates if self.choosing else ()
        named += [("choosing.candidates (with stores)", each.platform, stocked) for each in candidates]
        for where, id, known in named:
            if id not in known:
                raise ValueError(f"{where}: {id!r} is not in the tables")
        return self


_Shape = TypeVar("_Shape", bound=Strict)


def _read(path: Path, shape: Any) -> Any:
    try:
        return TypeAdapter(shape).validate_python(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise FactsError(f"{path}: {_fault(error)}") from error


def _fault(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def _folder(folder: Path, shape: type[_Shape]) -> tuple[_Shape, ...]:
    found = []
    for path in sorted(folder.glob("*.yaml")):
        thing = _read(path, shape)
        id = getattr(thing, "id", getattr(thing, "iso", None))
        if id != path.stem:
            raise FactsError(f"{path}: id: is {id!r}, the file is named {path.name}")
        found.append(thing)
    return tuple(found)


def load_facts(folder: Path = FACTS) -> Facts:
    """Read all fact tables below `folder`.

    Raises:
        FactsError: a file is not valid; the message names file and field.
    """
    tables: dict[str, Any] = {
        "platforms": _folder(folder / "platforms", Platform),
        "payments": _folder(folder / "payments", PaymentProvider),
        "countries": _folder(folder / "countries", Country),
        "destinations": _folder(folder / "destinations", Destination),
        "categories": _read(folder / "categories.yaml", tuple[Category, ...]),
        "everywhere": _read(folder / "everywhere.yaml", tuple[Institution, ...]),
        "fx": _read(folder / "fx.yaml", ExchangeRates),
        "disputes": sorted(_folder(folder / "disputes", Situation), key=lambda situation: situation.place),
    }
    shapes: dict[str, type[Strict]] = {"recourse": Recourse, "choosing": Choosing, "routes": Routes}
    tables |= {
        name: _read(path, shape) for name, shape in shapes.items() if (path := folder / f"{name}.yaml").is_file()
    }
    try:
        return Facts(**tables)
    except ValidationError as error:
        raise FactsError(f"{folder}: {_fault(error)}") from error
