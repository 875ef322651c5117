// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"bytes"
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// SecretName is the Secret of the certificate, in the operator's own namespace.
const SecretName = "ascend-webhook-server-cert"

// secret is the Secret as it was read; without a resourceVersion when there is
// none.
type secret struct{ *corev1.Secret }

func readSecret(ctx context.Context, live client.Reader) (secret, error) {
	s := secret{&corev1.Secret{}}
	err := live.Get(ctx, client.ObjectKey{Namespace: v1alpha1.GlobalNamespace, Name: SecretName}, s.Secret)
	switch {
	case apierrors.IsNotFound(err):
		return secret{&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: SecretName},
			Type:       corev1.SecretTypeTLS,
		}}, nil
	case err != nil:
		return secret{}, fmt.Errorf("read Secret %s/%s: %w", v1alpha1.GlobalNamespace, SecretName, err)
	default:
		return s, nil
	}
}

// write brings the material into the Secret, if it is not there as it stands.
// It is refused as a conflict, or as existing already, when somebody has
// written since it was read. Other keys are left alone. It returns whether it
// wrote.
func (s secret) write(ctx context.Context, writer client.Writer, m *material) (bool, error) {
	data, err := m.encode()
	if err != nil {
		return false, err
	}
	wanted := maps.Clone(s.Data)
	if wanted == nil {
		wanted = map[string][]byte{}
	}
	delete(wanted, keySuccessorCA)
	maps.Copy(wanted, data)
	if maps.EqualFunc(wanted, s.Data, bytes.Equal) {
		return false, nil
	}
	s.Data = wanted
	if s.ResourceVersion == "" {
		err = writer.Create(ctx, s.Secret)
	} else {
		err = writer.Update(ctx, s.Secret)
		if apierrors.IsNotFound(err) { // deleted a moment ago: the next look makes one
			err = apierrors.NewConflict(corev1.Resource("secrets"), SecretName, err)
		}
	}
	if err != nil {
		return false, fmt.Errorf("write Secret %s/%s: %w", v1alpha1.GlobalNamespace, SecretName, err)
	}
	return true, nil
}
