// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
)

// KeyID is the first 16 hexadecimal digits of the SHA-256 of a public key.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// isSignedBy says whether the checkpoint was signed with the private key that belongs
// to this public one.
func isSignedBy(checkpoint audit.Checkpoint, key ed25519.PublicKey) bool {
	signature, err := base64.StdEncoding.Strict().DecodeString(checkpoint.Signature)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return false
	}
	checkpoint.Signature = ""
	text, err := canonical.JSON(checkpoint)
	return err == nil && ed25519.Verify(key, text, signature)
}
