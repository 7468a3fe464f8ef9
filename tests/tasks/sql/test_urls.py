"""Addresses of databases: what JDBC's URLs mean, and SQLAlchemy's."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.tasks.sql.connections.alchemy import alchemy_url, open_alchemy, private_key
from nbflow.tasks.sql.connections.mysql import mysql_arguments
from nbflow.tasks.sql.urls import read_address


@pytest.mark.parametrize(
    ("url", "kind", "hosts", "path", "options"),
    [
        ("jdbc:postgresql://db:5432/shop", "postgresql", [("db", 5432)], "shop", {}),
        ("jdbc:postgresql://db/shop?sslmode=require", "postgresql", [("db", 0)], "shop", {"sslmode": "require"}),
        ("jdbc:postgresql://a:1,b:2/shop", "postgresql", [("a", 1), ("b", 2)], "shop", {}),
        ("jdbc:postgresql://[::1]:5432/shop", "postgresql", [("::1", 5432)], "shop", {}),
        ("jdbc:postgresql:shop", "postgresql", [], "shop", {}),
        ("postgres://db/shop", "postgresql", [("db", 0)], "shop", {}),
        ("jdbc:mysql://127.0.0.1:3306/", "mysql", [("127.0.0.1", 3306)], "", {}),
        ("jdbc:sqlite:", "sqlite", [], "", {}),
        ("jdbc:sqlite::memory:", "sqlite", [], ":memory:", {}),
        ("jdbc:sqlite:my.db", "sqlite", [], "my.db", {}),
        ("jdbc:sqlite:/data/my.db", "sqlite", [], "/data/my.db", {}),
        ("sqlite:///my.db", "sqlite", [], "my.db", {}),
        ("sqlite:////data/my.db", "sqlite", [], "/data/my.db", {}),
    ],
)  # fmt: skip
def test_urls_give_their_parts(
    url: str, kind: str, hosts: list[tuple[str, int]], path: str, options: dict[str, str]
) -> None:
    address = read_address(url)
    assert (address.kind, list(address.hosts), address.path, dict(address.options)) == (kind, hosts, path, options)


@pytest.mark.parametrize("url", ["jdbc:postgresql://u:p%40@h/d", "jdbc:postgresql://h/d?user=u&password=p%40"])
def test_users_come_from_the_url_unless_given(url: str) -> None:
    assert (read_address(url).username, read_address(url).password) == ("u", "p@")
    assert read_address(url, "me", "mine").username == "me"
    assert read_address(url, "me", "mine").password == "mine"


@pytest.mark.parametrize(
    ("url", "translated"),
    [
        ("jdbc:sqlserver://h:1433;databaseName=d;encrypt=false", "mssql+pymssql://u:p@h:1433/d"),
        ("jdbc:oracle:thin:@h:1521:XE", "oracle+oracledb://u:p@h:1521/XE"),
        ("jdbc:oracle:thin:@//h:1521/svc", "oracle+oracledb://u:p@h:1521?service_name=svc"),
        ("jdbc:clickhouse://h:8123/d", "clickhousedb://u:p@h:8123/d"),
        (
            "jdbc:snowflake://acc.snowflakecomputing.com/?db=d&schema=s&warehouse=w&role=r",
            "snowflake://u:p@acc/d/s?role=r&warehouse=w",
        ),
        ("jdbc:trino://h:8080/tpch/tiny", "trino://u:p@h:8080/tpch/tiny"),
        ("jdbc:redshift://h:5439/dev", "redshift+redshift_connector://u:p@h:5439/dev"),
        ("jdbc:vertica://h:5433/d", "vertica+vertica_python://u:p@h:5433/d"),
        ("jdbc:pinot://h:9000", "pinot://u:p@h:9000"),
        (
            "jdbc:avatica:remote:url=http://h:8888/druid/v2/sql/avatica/;transparent_reconnection=true",
            "druid://u:p@h:8888/druid/v2/sql/",
        ),
        ("jdbc:dremio:direct=h:31010;ssl=true", "dremio+flight://u:p@h:31010"),
        ("jdbc:db2://h:50000/d", "db2+ibm_db://u:p@h:50000/d"),
        ("jdbc:sap://h:39015/?databaseName=S", "hana+hdbcli://u:p@h:39015/S"),
        ("trino+rest://h/tpch", "trino+rest://u:p@h/tpch"),
    ],
)
def test_urls_of_jdbc_become_those_of_sqlalchemy(url: str, translated: str) -> None:
    assert alchemy_url(read_address(url, "u", "p")).render_as_string(hide_password=False) == translated


def test_mysql_is_given_what_its_url_says() -> None:
    address = read_address("jdbc:mysql://h/shop?allowLoadLocalInfile=true&useSSL=false", "u", "p")
    assert mysql_arguments(address) == {
        "host": "h",
        "port": 3306,
        "user": "u",
        "password": "p",
        "database": "shop",
        "charset": "utf8mb4",
        "connect_timeout": 10,
        "local_infile": True,
        "ssl_disabled": True,
    }


def test_a_missing_driver_is_named() -> None:
    with pytest.raises(MissingExtraError) as raised:
        open_alchemy(read_address("jdbc:trino://h:8080/tpch"), {})
    assert str(raised.value) == (
        "trino needs the package `trino[sqlalchemy]`, which is not installed (pip install 'trino[sqlalchemy]')"
    )


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "`url` is no address of a database: 'nonsense' (write one as `jdbc:postgresql://host:5432/db`)"),
        (
            "jdbc:unheard://h/d",
            "there is no translation of `jdbc:unheard:` (give `url` as SQLAlchemy takes it)",
        ),
    ],
)
def test_what_is_no_address_is_refused(url: str, message: str) -> None:
    with pytest.raises(TaskFailedError) as raised:
        open_alchemy(read_address(url), {})
    assert str(raised.value) == message


@pytest.mark.parametrize("password", [None, "pass"])
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_private_key_is_read_with_and_without_its_frame(password: str | None, is_whole: bool) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()
    if not is_whole:
        text = "\n".join(text.splitlines()[1:-1])
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert private_key(text, password) == plain
    with pytest.raises(TaskFailedError, match="`privateKey` cannot be read"):
        private_key(text[:40], password)
