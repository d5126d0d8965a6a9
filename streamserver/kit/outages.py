"""What it looks like when Redis or the database is not there: a reason to try again, not a fault of the program."""

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import LockError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

STORES_AWAY = (
    RedisConnectionError,
    RedisTimeoutError,
    LockError,
    OperationalError,
    InterfaceError,
    PoolTimeoutError,
    ConnectionRefusedError,
)
