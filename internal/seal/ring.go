// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
)

// minSecret is the shortest secret in bytes: as long as the hash, as RFC 2104,
// section 3, asks for.
const minSecret = 32

// Key is a secret with the id that seals name it by. However it is printed, it
// shows its id only.
type Key struct {
	// ID is 8 lower-case hexadecimal digits.
	ID string
	// Secret is at least 32 random bytes.
	Secret []byte
}

var (
	_ fmt.Formatter  = Key{}
	_ json.Marshaler = Key{}
	_ fmt.Formatter  = (*Ring)(nil)
)

// Format shows the id alone.
func (k Key) Format(state fmt.State, _ rune) { fmt.Fprintf(state, "key %q", k.ID) }

// MarshalJSON shows the id alone.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal(map[string]string{"id": k.ID}) }

// Ring is a set of keys, one of which seals and all of which verify. It never
// changes. A nil Ring has no key: it seals nothing and believes nothing.
type Ring struct {
	active string
	keys   map[string]signer
}

// signer makes the MAC of a text. It holds its secret as a closure does, out of
// the sight of everything that prints.
type signer func(text []byte) []byte

// NewRing makes a ring whose key with the id active seals. It fails for a key
// id that is not 8 lower-case hexadecimal digits or comes twice, a secret under
// 32 bytes, and where there is no key with the id active.
func NewRing(active string, keys []Key) (*Ring, error) {
	r := &Ring{active: active, keys: make(map[string]signer, len(keys))}
	for _, k := range keys {
		switch _, twice := r.keys[k.ID]; {
		case !wellFormedID(k.ID):
			return nil, errors.New("the id of a key is not of 8 lower-case hexadecimal digits; remove the key, or name it so")
		case twice:
			return nil, fmt.Errorf("there are two keys %s; remove one of them", k.ID)
		case len(k.Secret) < minSecret:
			return nil, fmt.Errorf("key %s has %d bytes, and needs at least %d; remove it", k.ID, len(k.Secret), minSecret)
		}
		r.keys[k.ID] = newSigner(k.Secret)
	}
	if _, ok := r.keys[active]; !ok {
		return nil, fmt.Errorf("there is no key %q to seal with among the %d given", active, len(keys))
	}
	return r, nil
}

func newSigner(secret []byte) signer {
	secret = bytes.Clone(secret)
	return func(text []byte) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write(text)
		return mac.Sum(nil)
	}
}

// Format shows how many keys there are, and the id of the one that seals.
func (r *Ring) Format(state fmt.State, _ rune) {
	if r == nil {
		fmt.Fprint(state, "no ring")
		return
	}
	fmt.Fprintf(state, "ring of %d, active %q", len(r.keys), r.active)
}

// Active is the id of the key that seals; empty of a nil Ring.
func (r *Ring) Active() string {
	if r == nil {
		return ""
	}
	return r.active
}

// Knows says whether seals by the key with that id can be checked.
func (r *Ring) Knows(keyID string) bool {
	if r == nil {
		return false
	}
	_, ok := r.keys[keyID]
	return ok
}

// seal makes a seal over what claims returns for the id of the active key.
func (r *Ring) seal(claims func(keyID string) (any, error)) (string, error) {
	if r == nil {
		return "", ErrNoRing
	}
	said, err := claims(r.active)
	if err != nil {
		return "", err
	}
	return write(r.active, r.keys[r.active], said)
}

// check compares a seal with the one its key would make.
func (r *Ring) check(seal string, claims func(keyID string) (any, error)) error {
	if r == nil {
		return ErrNoRing
	}
	if seal == "" {
		return ErrMissing
	}
	id, ok := KeyOf(seal)
	if !ok {
		return ErrMalformed
	}
	key, ok := r.keys[id]
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnknownKey, id)
	}
	said, err := claims(id)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForged, err) // nothing like it is ever sealed
	}
	want, err := write(id, key, said)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForged, err)
	}
	if !same(want, seal) {
		return ErrForged
	}
	return nil
}
