from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Want(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WANT_NOTHING: _ClassVar[Want]
    WANT_KEYS: _ClassVar[Want]
    WANT_OBSERVATIONS: _ClassVar[Want]
    WANT_POSITIONS: _ClassVar[Want]
WANT_NOTHING: Want
WANT_KEYS: Want
WANT_OBSERVATIONS: Want
WANT_POSITIONS: Want

class ActRequest(_message.Message):
    __slots__ = ("game", "questions")
    GAME_FIELD_NUMBER: _ClassVar[int]
    QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    game: str
    questions: _containers.RepeatedCompositeFieldContainer[Question]
    def __init__(self, game: _Optional[str] = ..., questions: _Optional[_Iterable[_Union[Question, _Mapping]]] = ...) -> None: ...

class Question(_message.Message):
    __slots__ = ("seat", "actions", "names", "prompt", "key", "observation", "seed", "left")
    SEAT_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    seat: int
    actions: _containers.RepeatedScalarFieldContainer[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    prompt: str
    key: bytes
    observation: _containers.RepeatedScalarFieldContainer[float]
    seed: int
    left: int
    def __init__(self, seat: _Optional[int] = ..., actions: _Optional[_Iterable[int]] = ..., names: _Optional[_Iterable[str]] = ..., prompt: _Optional[str] = ..., key: _Optional[bytes] = ..., observation: _Optional[_Iterable[float]] = ..., seed: _Optional[int] = ..., left: _Optional[int] = ...) -> None: ...

class ActReply(_message.Message):
    __slots__ = ("decisions",)
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[Decision]
    def __init__(self, decisions: _Optional[_Iterable[_Union[Decision, _Mapping]]] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("action", "text")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    action: int
    text: str
    def __init__(self, action: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ("params",)
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    params: str
    def __init__(self, params: _Optional[str] = ...) -> None: ...

class Description(_message.Message):
    __slots__ = ("name", "summary", "seats", "roles", "actions", "max_length", "min_return", "max_return", "sum", "chance", "sampled", "hidden", "recall", "tensor", "speaks", "positions", "keyless", "replays", "protocol", "params", "open", "talks")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    SEATS_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    MIN_RETURN_FIELD_NUMBER: _ClassVar[int]
    MAX_RETURN_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    TENSOR_FIELD_NUMBER: _ClassVar[int]
    SPEAKS_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    KEYLESS_FIELD_NUMBER: _ClassVar[int]
    REPLAYS_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    TALKS_FIELD_NUMBER: _ClassVar[int]
    name: str
    summary: str
    seats: int
    roles: _containers.RepeatedScalarFieldContainer[str]
    actions: int
    max_length: int
    min_return: float
    max_return: float
    sum: float
    chance: bool
    sampled: bool
    hidden: bool
    recall: bool
    tensor: _containers.RepeatedScalarFieldContainer[int]
    speaks: bool
    positions: bool
    keyless: bool
    replays: bool
    protocol: int
    params: _containers.RepeatedCompositeFieldContainer[Param]
    open: bool
    talks: bool
    def __init__(self, name: _Optional[str] = ..., summary: _Optional[str] = ..., seats: _Optional[int] = ..., roles: _Optional[_Iterable[str]] = ..., actions: _Optional[int] = ..., max_length: _Optional[int] = ..., min_return: _Optional[float] = ..., max_return: _Optional[float] = ..., sum: _Optional[float] = ..., chance: bool = ..., sampled: bool = ..., hidden: bool = ..., recall: bool = ..., tensor: _Optional[_Iterable[int]] = ..., speaks: bool = ..., positions: bool = ..., keyless: bool = ..., replays: bool = ..., protocol: _Optional[int] = ..., params: _Optional[_Iterable[_Union[Param, _Mapping]]] = ..., open: bool = ..., talks: bool = ...) -> None: ...

class Param(_message.Message):
    __slots__ = ("name", "default", "help")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    HELP_FIELD_NUMBER: _ClassVar[int]
    name: str
    default: str
    help: str
    def __init__(self, name: _Optional[str] = ..., default: _Optional[str] = ..., help: _Optional[str] = ...) -> None: ...

class StepRequest(_message.Message):
    __slots__ = ("params", "states", "ends", "actions", "want", "seat", "id")
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    WANT_FIELD_NUMBER: _ClassVar[int]
    SEAT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    params: str
    states: bytes
    ends: _containers.RepeatedScalarFieldContainer[int]
    actions: _containers.RepeatedScalarFieldContainer[int]
    want: int
    seat: int
    id: int
    def __init__(self, params: _Optional[str] = ..., states: _Optional[bytes] = ..., ends: _Optional[_Iterable[int]] = ..., actions: _Optional[_Iterable[int]] = ..., want: _Optional[int] = ..., seat: _Optional[int] = ..., id: _Optional[int] = ...) -> None: ...

class StepReply(_message.Message):
    __slots__ = ("states", "ends", "turns", "actions", "action_ends", "odds", "returns", "keys", "key_ends", "observations", "positions", "position_ends", "failures", "id")
    STATES_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    ACTION_ENDS_FIELD_NUMBER: _ClassVar[int]
    ODDS_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    KEY_ENDS_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    POSITION_ENDS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    states: bytes
    ends: _containers.RepeatedScalarFieldContainer[int]
    turns: _containers.RepeatedScalarFieldContainer[int]
    actions: _containers.RepeatedScalarFieldContainer[int]
    action_ends: _containers.RepeatedScalarFieldContainer[int]
    odds: _containers.RepeatedScalarFieldContainer[float]
    returns: _containers.RepeatedScalarFieldContainer[float]
    keys: bytes
    key_ends: _containers.RepeatedScalarFieldContainer[int]
    observations: bytes
    positions: bytes
    position_ends: _containers.RepeatedScalarFieldContainer[int]
    failures: _containers.RepeatedCompositeFieldContainer[Failure]
    id: int
    def __init__(self, states: _Optional[bytes] = ..., ends: _Optional[_Iterable[int]] = ..., turns: _Optional[_Iterable[int]] = ..., actions: _Optional[_Iterable[int]] = ..., action_ends: _Optional[_Iterable[int]] = ..., odds: _Optional[_Iterable[float]] = ..., returns: _Optional[_Iterable[float]] = ..., keys: _Optional[bytes] = ..., key_ends: _Optional[_Iterable[int]] = ..., observations: _Optional[bytes] = ..., positions: _Optional[bytes] = ..., position_ends: _Optional[_Iterable[int]] = ..., failures: _Optional[_Iterable[_Union[Failure, _Mapping]]] = ..., id: _Optional[int] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("index", "text")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    index: int
    text: str
    def __init__(self, index: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class SpeakRequest(_message.Message):
    __slots__ = ("params", "state", "seat", "prompt", "say", "hear", "talk", "propose", "draw")
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SEAT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    SAY_FIELD_NUMBER: _ClassVar[int]
    HEAR_FIELD_NUMBER: _ClassVar[int]
    TALK_FIELD_NUMBER: _ClassVar[int]
    PROPOSE_FIELD_NUMBER: _ClassVar[int]
    DRAW_FIELD_NUMBER: _ClassVar[int]
    params: str
    state: bytes
    seat: int
    prompt: bool
    say: _containers.RepeatedScalarFieldContainer[int]
    hear: str
    talk: str
    propose: str
    draw: int
    def __init__(self, params: _Optional[str] = ..., state: _Optional[bytes] = ..., seat: _Optional[int] = ..., prompt: bool = ..., say: _Optional[_Iterable[int]] = ..., hear: _Optional[str] = ..., talk: _Optional[str] = ..., propose: _Optional[str] = ..., draw: _Optional[int] = ...) -> None: ...

class SpeakReply(_message.Message):
    __slots__ = ("prompt", "names", "action", "refused", "state")
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    prompt: str
    names: _containers.RepeatedScalarFieldContainer[str]
    action: int
    refused: str
    state: bytes
    def __init__(self, prompt: _Optional[str] = ..., names: _Optional[_Iterable[str]] = ..., action: _Optional[int] = ..., refused: _Optional[str] = ..., state: _Optional[bytes] = ...) -> None: ...
