"""The names of everything that is journalled or logged. One Enum; nothing else invents an event name."""

from enum import StrEnum


class Kind(StrEnum):
    """Kinds of journal records."""

    # any journal
    JOURNAL_OPENED = "journal.opened"      # first record: home id, program, schema
    PROGRAM_STARTED = "program.started"    # version, settings hash, rule hashes
    PROGRAM_STOPPED = "program.stopped"
    TAIL_REPAIRED = "tail.repaired"        # hash and size of the bytes that were set aside
    # collection_log.jsonl
    COLLECTED = "collected"                # one pass of one feed
    # reflection_log.jsonl, promotion_log.jsonl
    REFLECTED = "reflected"
    PROMOTED = "promoted"
    # control_log.jsonl
    CONTROL_CHANGED = "control.changed"    # who changed which control, why, before and after
    LOG_RETIRED = "log.retired"            # the oldest pieces of a log were put away, up to a signed head
    # operator_commands.jsonl
    COMMAND_GIVEN = "command.given"
    # tracker_log.jsonl
    ITEM_ADDED = "item.added"              # an incident, task, risk, idea or release that people follow
    ITEM_MARKED = "item.marked"            # it has another state, and why
    ITEM_NOTED = "item.noted"
    ITEM_CHECKED = "item.checked"          # its own check ran, and ended so
    THREAD_OPENED = "thread.opened"        # a timeline of an incident or a decision
    THREAD_APPENDED = "thread.appended"
    THREAD_LINKED = "thread.linked"        # something of this home that it is about
    THREAD_CLOSED = "thread.closed"
    RELEASE_MOVING = "release.moving"      # a module is about to run another release: from, to, why, its manifest
    RELEASE_MOVED = "release.moved"        # which release it runs now, and why
    # assistant_log.jsonl
    MODEL_ASKED = "model.asked"            # a language model is about to be asked: which, and the prompt by its hash
    MODEL_ANSWERED = "model.answered"      # what came of it: verdict, size and hash of the answer, duration
    # calls_*.jsonl: one line a call to the outside; see common/outside/call.py
    CALL_MADE = "call.made"                # asked and answered, or not: whom, what for, status, bytes, duration
    CALL_REFUSED = "call.refused"          # not made: the host is not on this node's list
    CALL_OPENED = "call.opened"            # a connection that stays was made
    CALL_CLOSED = "call.closed"            # it ended
    # trade_log.jsonl: external inputs, recorded before they are used
    CONTROL_SEEN = "control.seen"          # overlay, permit and vault bytes by hash, and what they allow
    CONTROL_EDITED = "control.edited"      # what an edit of overlay or vaults changed, and who may have made it
    CONTROL_ENDED = "control.ended"        # a switch was over by its own `until`
    INSTRUMENTS_SEEN = "instruments.seen"
    QUOTE_SEEN = "quote.seen"
    # trade_log.jsonl: life of an intent
    INTENT_SEEN = "intent.seen"
    INTENT_HELD = "intent.held"
    INTENT_REFUSED = "intent.refused"
    INTENT_APPROVED = "intent.approved"
    INTENT_EXPIRED = "intent.expired"
    INTENT_WITHDRAWN = "intent.withdrawn"
    INTENT_QUARANTINED = "intent.quarantined"
    # trade_log.jsonl: life of an order
    ORDER_SUBMITTING = "order.submitting"  # the outbox record: synced before anything is sent
    ORDER_WITHHELD = "order.withheld"      # proof that nothing was sent
    ORDER_ACCEPTED = "order.accepted"
    ORDER_REJECTED = "order.rejected"
    ORDER_UNKNOWN = "order.unknown"
    ORDER_CANCELLING = "order.cancelling"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_EXPIRED = "order.expired"
    ORDER_QUARANTINED = "order.quarantined"
    FILL = "fill"
    FILL_BUSTED = "fill.busted"            # the venue took an execution back
    BROKER_SYNC = "broker.sync"            # whether an account's venue answers and agrees with the books
    BROKER_EXTERNAL = "broker.external"    # an order or a fill at the venue that this home did not send
    # trade_log.jsonl: money and safety
    ADJUSTMENT = "adjustment"              # transfer, split, dividend, fee, funding, symbol change
    DAY_CLOSED = "day.closed"              # the day's profit by every table, NAV counted twice, the benchmark
    DAY_OPENED = "day.opened"              # NAV at the day's first look, for the daily loss limit
    HOUSE_DAY_OPENED = "house.day_opened"  # the same for all vaults together
    ALERT = "alert"                        # half or four fifths of a limit are used
    COMMAND_TAKEN = "command.taken"        # a person's cancel or flatten was carried out
    COMMAND_REFUSED = "command.refused"    # expired, or about nothing that is there
    OVERRIDE_SET = "override.set"          # one limit has another value for a while
    OVERRIDE_ENDED = "override.ended"
    LATCH_SET = "latch.set"
    LATCH_RELEASED = "latch.released"


class LogEvent(StrEnum):
    """Names of operational log lines (logs/*.log), for people and tests."""

    PASS_DONE = "pass.done"
    PASS_FAILED = "pass.failed"
    FEED_PROBLEM = "feed.problem"
    DISPATCH_HELD = "dispatch.held"
    DISPATCH_OPEN = "dispatch.open"
    PROBLEM = "problem"                    # something that a step could not read or do; said when it changes
    ORDER_SENT = "order.sent"
    LATCHED = "latched"
    ALERT = "alert"                        # half or four fifths of a limit are used
    ALARM_FAILED = "alarm.failed"          # the operator's program for alerts did not do its work
    REFUSED = "refused"                    # what another node showed is a fork, a cut or a break of what was seen
    STATE_PLACE = "state.place"            # doubts about the file system that the state lies on
    STARTED = "started"
    STOPPED = "stopped"
    RECOVERED = "recovered"
    CRASHED = "crashed"                    # a fault of the program itself, with its traceback
    LIBRARY = "library"                    # what a third-party library logged, as text
