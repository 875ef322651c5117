// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/internal/seal"
)

// secretLength is the length in bytes of a key that is made here.
const secretLength = 32

// entry is one key as the Secret holds it, under its id.
type entry struct {
	id string
	// Key is the secret itself, in base64.
	Key []byte `json:"key"`
	// CreatedAt is when it was made.
	CreatedAt time.Time `json:"createdAt"`
	// ActiveFrom is when it may be sealed with; it verifies from the beginning.
	ActiveFrom time.Time `json:"activeFrom"`
}

// newEntry makes a key whose id is not among those taken.
func newEntry(taken map[string][]byte, now, activeFrom time.Time) entry {
	e := entry{Key: random(secretLength), CreatedAt: now.UTC().Truncate(time.Second), ActiveFrom: activeFrom.UTC().Truncate(time.Second)}
	for {
		e.id = hex.EncodeToString(random(4))
		if _, twice := taken[e.id]; !twice {
			return e
		}
	}
}

func random(length int) []byte {
	out := make([]byte, length)
	_, _ = rand.Read(out) // never fails: without randomness it ends the program
	return out
}

// text is the entry as the Secret holds it.
func (e *entry) text() []byte {
	out, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("a key of text and two times of this century cannot be written: %T", err))
	}
	return out
}

// errNotAnEntry says what an entry has to look like. What it does look like is
// not said, for that may be a secret.
var errNotAnEntry = errors.New(`it has to be named by 8 lower-case hexadecimal digits and to read ` +
	`{"key": base64 of at least 32 bytes, "createdAt": RFC 3339 time, "activeFrom": RFC 3339 time}; correct or remove it`)

func readEntry(id string, text []byte) (entry, error) {
	e := entry{id: id}
	if json.Unmarshal(text, &e) != nil || e.CreatedAt.IsZero() || e.ActiveFrom.IsZero() {
		return entry{}, errNotAnEntry
	}
	if _, err := seal.NewRing(id, []seal.Key{e.asKey()}); err != nil {
		return entry{}, errNotAnEntry
	}
	return e, nil
}

func (e *entry) asKey() seal.Key { return seal.Key{ID: e.id, Secret: e.Key} }

// entries are keys in the order in which they come to seal.
type entries []entry

// readAll reads what can be read, and names the rest.
func readAll(data map[string][]byte) (all entries, unreadable []string) {
	for _, id := range slices.Sorted(maps.Keys(data)) {
		e, err := readEntry(id, data[id])
		if err != nil {
			unreadable = append(unreadable, id)
			continue
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b entry) int { return a.ActiveFrom.Compare(b.ActiveFrom) })
	return all, unreadable
}

// active is the index of the key that seals: the last whose time has come. The
// first one is used before its time, for there is no other: the clock of
// whoever made it was ahead.
func (all entries) active(now time.Time) int {
	for i := len(all) - 1; i > 0; i-- {
		if !all[i].ActiveFrom.After(now) {
			return i
		}
	}
	return 0
}

// ring is all of them; nil when there is none.
func (all entries) ring(now time.Time) *seal.Ring {
	if len(all) == 0 {
		return nil
	}
	keys := make([]seal.Key, len(all))
	for i := range all {
		keys[i] = all[i].asKey()
	}
	ring, err := seal.NewRing(all[all.active(now)].id, keys)
	if err != nil {
		return nil // each was tried by itself when it was read
	}
	return ring
}
