"""The unit's queue on flash: what was appended is sent once, in order, over any number of reboots.

    store = Store("/flash/queue", boot, declare)
    token = store.append(klass, seq, topic, payload)    # on flash when it returns
    store.take() -> (token, topic, payload) or None     # next to send: SOS, then events, then tracks
    store.done(token)                                   # PUBACK says success
    store.rewind()                                      # new connection: offer what was not done
    for _ in store.tidy(): ...                          # make room, one short step at a time

boot     16 hex characters of this boot. Records of earlier boots keep theirs, and their seq.
klass    0 SOS, 1 events and acks, 2 telemetry. Sent in this order; within a class as appended.
token    (klass, boot, seq): equal for append, take and done, and after a reboot.
declare  declare(of_boot, first, last, count, why) -> (seq, topic, payload) of a `unit_gap`, stamped
         by the shell with this boot's next seq. `why` is "full", "thinned", "corrupt" or "dropped".
         The store appends it as class 1 before the records it speaks of are gone.

append(klass, seq, topic, payload, later=False) -> token, or None when there was no room: its seq
    then goes into a gap. Class 2 is refused when its budget is used up (tidy() did not keep pace);
    class 1 only with the flash full and HELD records waiting in RAM; class 0 never.
    later=True keeps the record in RAM, ready for take(), and spares the 45 ms erase: for an SOS,
    which is latched already (store_latch.py). It is written by the next commit() or append(), so
    flash always holds a prefix of what was numbered: no hole that nobody declared.
commit() -> True when nothing is left in RAM; False when the flash is full (tidy() makes room).
take() gives each record once; the window (how many are taken and not done) is the caller's.
done() of an unknown token is ignored. After a power cut at most `slack` finished records are
    offered again: their cursor is written every `slack` of them, and by commit().
drop(token, why) -> True: not sent and not yet taken, so forget it and declare it. False: too late.
    Better not number what will be superseded: stamp an SOS update only when a session can take it.
tidy() is a generator; one step writes at most one flash block. Run it from a task every few
    seconds: it thins tracks above HIGH of the budget (every second record, twice at most), drops
    the oldest above FULL, and writes what drop() and refusals left to be declared.
waiting() -> about how many records are not done yet (exact for this boot's).

Never dropped: classes 0 and 1. Over budget: class 2 thinned, then oldest first, always declared.
A power cut at any block write leaves every record whose append returned, and nothing torn.
"""
