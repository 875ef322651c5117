// SPDX-License-Identifier: Apache-2.0

package keyring_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/keyring"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

var beginning = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

// stage is a cluster with a clock.
type stage struct {
	testing.TB
	client.Client
	clock *clocktesting.FakeClock
}

func newStage(t *testing.T, objects ...client.Object) *stage {
	t.Helper()
	return &stage{TB: t, Client: fake.NewClientBuilder().WithObjects(objects...).Build(), clock: clocktesting.NewFakeClock(beginning)}
}

// replica has read the Secret, or made it.
func (s *stage) replica() *keyring.Keyring {
	s.Helper()
	k := keyring.New(s.Client, s.Client, s.clock)
	s.load(k)
	return k
}

func (s *stage) load(rings ...*keyring.Keyring) {
	s.Helper()
	for _, k := range rings {
		if err := k.Load(context.Background()); err != nil {
			s.Fatal(err)
		}
	}
}

// pass lets time pass, in which each keyring reads the Secret as often as it does.
func (s *stage) pass(d time.Duration, rings ...*keyring.Keyring) {
	s.Helper()
	for end := s.clock.Now().Add(d); s.clock.Now().Before(end); {
		s.clock.Step(min(max(keyring.PollInterval, d/20), end.Sub(s.clock.Now())))
		s.load(rings...)
	}
}

func (s *stage) secret() *corev1.Secret {
	s.Helper()
	var secret corev1.Secret
	if err := s.Get(context.Background(), client.ObjectKeyFromObject(named(nil)), &secret); err != nil {
		s.Fatal(err)
	}
	return &secret
}

// edit changes the Secret as a person would.
func (s *stage) edit(change func(*corev1.Secret)) {
	s.Helper()
	secret := s.secret()
	change(secret)
	if err := s.Update(context.Background(), secret); err != nil {
		s.Fatal(err)
	}
}

func (s *stage) askForRotation() {
	s.Helper()
	s.edit(func(secret *corev1.Secret) {
		metav1.SetMetaDataAnnotation(&secret.ObjectMeta, keyring.RotateAnnotation, "now")
	})
}

// named is the Secret with other content.
func named(data map[string][]byte) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: keyring.SecretName}, Data: data}
}

// written is an entry of the Secret.
func written(secret string, createdAt, activeFrom time.Time) []byte {
	text, err := json.Marshal(map[string]string{
		"key":       base64.StdEncoding.EncodeToString([]byte(secret)),
		"createdAt": createdAt.Format(time.RFC3339), "activeFrom": activeFrom.Format(time.RFC3339),
	})
	if err != nil {
		panic(err)
	}
	return text
}

// canary is a secret of 32 bytes that is easy to find.
const canary = "canary-canary-canary-canary-cana"

// leaks fails where the text shows part of the canary, in any usual form.
func leaks(tb testing.TB, text string) {
	tb.Helper()
	for _, form := range []string{"canary", fmt.Sprintf("%x", "canary"), "99 97 110 97", "Y2FuYXJ5", base64.StdEncoding.EncodeToString([]byte("anary-canary")), base64.StdEncoding.EncodeToString([]byte("nary-canary-"))} {
		if strings.Contains(text, form) {
			tb.Errorf("shows %q in:\n%s", form, text)
		}
	}
}

func submission() seal.Submission {
	admitted := metav1.NewMicroTime(beginning)
	return seal.Submission{
		Namespace: "shop", Name: "act-7", Digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
		Requester: v1alpha1.Requester{Username: "agent", AdmittedAt: &admitted},
	}
}

// sealed is a submission with the seal of a ring.
func sealed(tb testing.TB, k *keyring.Keyring) seal.Submission {
	tb.Helper()
	s := submission()
	var err error
	if s.Requester.Seal, err = k.Ring().SealSubmission(s); err != nil {
		tb.Fatal(err)
	}
	return s
}
