// SPDX-License-Identifier: Apache-2.0

package anchor

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

const (
	// SecretName is the Secret in ascend-system that has the key.
	SecretName = "ascend-audit-signing-key"
	// KeyField is the field of the Secret: an Ed25519 key, PKCS#8 in PEM.
	KeyField = "ed25519.key"
	// RotateAnnotation on the Secret asks for another key, with any value.
	RotateAnnotation = "governance.ascendowkai.com/rotate"

	// attempts is how often one look begins anew when another replica was faster.
	attempts = 5
)

// The Secret cannot be named in a create.
//
// +kubebuilder:rbac:groups="",namespace=ascend-system,resources=secrets,verbs=create
// +kubebuilder:rbac:groups="",namespace=ascend-system,resources=secrets,resourceNames=ascend-audit-signing-key,verbs=get;update

// errNotAKey says what the Secret has to hold. What it does hold is not said.
var errNotAKey = errors.New("the Secret " + SecretName + " has no Ed25519 key, PKCS#8 in PEM, under " + KeyField +
	", so nothing is signed; put one there, or delete the Secret, and the operator makes another")

// haveKey sees to it that there is a key, and that the ConfigMap has its public
// half before anything is signed with it. While the Secret cannot be read, the
// key in memory goes on.
func (a *Anchorer) haveKey(ctx context.Context) error {
	var err error
	for range attempts {
		err = a.readKey(ctx)
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) {
			break
		}
	}
	if err != nil {
		if a.key == nil || errors.Is(err, errNotAKey) {
			return err
		}
		log.FromContext(ctx).Error(err, "Cannot read the key that signs the audit trail; going on with the one in memory")
	}
	if a.published == a.keyID() {
		return nil
	}
	if err := a.patch(ctx, map[string]any{}); err != nil {
		return err
	}
	a.published = a.keyID()
	return nil
}

// readKey reads the Secret, makes it where there is none, and another key where
// one is asked for.
func (a *Anchorer) readKey(ctx context.Context) error {
	secret := &corev1.Secret{}
	err := a.Live.Get(ctx, client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: SecretName}, secret)
	if apierrors.IsNotFound(err) {
		return a.createKey(ctx)
	}
	if err != nil {
		return fmt.Errorf("read Secret %s: %w", SecretName, err)
	}
	if _, asked := secret.Annotations[RotateAnnotation]; asked {
		return a.rotate(ctx, secret)
	}
	key, err := parseKey(secret.Data[KeyField])
	if err != nil {
		return err
	}
	a.key = key
	return nil
}

// createKey writes the Secret: with the key in memory, where somebody deleted it
// while the operator ran, else with a new one.
func (a *Anchorer) createKey(ctx context.Context) error {
	key := a.key
	if key == nil {
		key = newKey()
	}
	err := a.Writer.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: SecretName},
		Type:       corev1.SecretTypeOpaque,
		Data:       map[string][]byte{KeyField: formatKey(key)},
	})
	if err != nil {
		return fmt.Errorf("create Secret %s: %w", SecretName, err)
	}
	a.key = key
	log.FromContext(ctx).Info("Wrote the key that signs the audit trail", "secret", SecretName, "key", a.keyID())
	return nil
}

func (a *Anchorer) rotate(ctx context.Context, secret *corev1.Secret) error {
	key := newKey()
	delete(secret.Annotations, RotateAnnotation)
	secret.Data = map[string][]byte{KeyField: formatKey(key)}
	if err := a.Writer.Update(ctx, secret); err != nil { // of the version that was read only
		return fmt.Errorf("write Secret %s: %w", SecretName, err)
	}
	a.key = key
	log.FromContext(ctx).Info("Made another key that signs the audit trail, as the annotation asks", "secret", SecretName, "key", a.keyID())
	return nil
}

func (a *Anchorer) keyID() string { return audit.KeyID(public(a.key)) }

func public(key ed25519.PrivateKey) ed25519.PublicKey {
	half, _ := key.Public().(ed25519.PublicKey) // it always is
	return half
}

func newKey() ed25519.PrivateKey {
	_, key, _ := ed25519.GenerateKey(rand.Reader) // never fails: without randomness it ends the program
	return key
}

const (
	privateType = "PRIVATE KEY"
	publicType  = "PUBLIC KEY"
)

func formatKey(key ed25519.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(fmt.Sprintf("an Ed25519 key cannot be written: %T", err))
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateType, Bytes: der})
}

func formatPublic(key ed25519.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(public(key))
	if err != nil {
		panic(fmt.Sprintf("an Ed25519 public key cannot be written: %T", err))
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: publicType, Bytes: der}))
}

func parseKey(text []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != privateType {
		return nil, errNotAKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, isEd25519 := parsed.(ed25519.PrivateKey)
	if err != nil || !isEd25519 {
		return nil, errNotAKey
	}
	return key, nil
}
