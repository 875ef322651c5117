// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// Checkpoint appends EventCheckpoint with what sign makes of the head of the
// chain, the record directly before. It returns the signed checkpoint once that
// is kept.
func (l *Log) Checkpoint(ctx context.Context, sign func(Head) (*Checkpoint, error)) (*Checkpoint, error) {
	var signed *Checkpoint
	err := l.submit(ctx, &call{strict: true, entries: []entry{journalEntry(func(head Head) (Record, error) {
		made, err := sign(head)
		if err != nil {
			return Record{}, fmt.Errorf("sign a checkpoint: %w", err)
		}
		signed = made
		return Record{
			Time: made.Time, Event: EventCheckpoint,
			Message: fmt.Sprintf("the records up to %d are signed with key %s", head.Sequence, made.KeyID),
			Journal: &Journal{Checkpoint: made},
		}, nil
	})}})
	if err != nil {
		return nil, err
	}
	return signed, nil
}

// SignCheckpoint signs a head.
func SignCheckpoint(key ed25519.PrivateKey, head Head, at time.Time) (*Checkpoint, error) {
	public, isEd25519 := key.Public().(ed25519.PublicKey)
	if !isEd25519 {
		return nil, errors.New("the key is not an Ed25519 key")
	}
	c := &Checkpoint{Head: head, Time: at.UTC(), KeyID: KeyID(public)}
	text, err := c.signedText()
	if err != nil {
		return nil, err
	}
	c.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	return c, nil
}

// ErrSignature is of a checkpoint that was not signed with a key.
var ErrSignature = errors.New("the signature is not that of this checkpoint and key")

// Verify returns ErrSignature unless the checkpoint was signed with the private
// key that belongs to this public one.
func (c *Checkpoint) Verify(key ed25519.PublicKey) error {
	text, err := c.signedText()
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(c.Signature)
	if err != nil || len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, text, signature) {
		return ErrSignature
	}
	return nil
}

func (c *Checkpoint) signedText() ([]byte, error) {
	bare := *c
	bare.Signature = ""
	return canonical.JSON(bare)
}

// KeyID is the first 16 hexadecimal digits of the SHA-256 of a public key.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}
