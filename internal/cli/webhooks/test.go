// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

const (
	// defaultTimeout is longer than a receiver may take for its answer.
	defaultTimeout = 45 * time.Second
	// pollEvery is how often the answer is looked for.
	pollEvery = 250 * time.Millisecond
)

// try is the command ascend webhooks test.
type try struct {
	session *session.Session
	timeout time.Duration
	id      func() string
}

func newTestCommand(s *session.Session, display string) *cobra.Command {
	o := &try{session: s, id: func() string { return "cli-" + rand.String(12) }}
	cmd := &cobra.Command{
		Use:   "test NAME",
		Short: "Send a sample to a subscription",
		Long: `Ask the operator to send one sample, of type webhook.test, to the receiver of a
subscription, and print how the receiver answered. The sample is signed like every
other delivery, tells of no action, and is tried once.

It takes the right to patch the subscription: the request is an annotation of it.
` + session.ExitCodesHelp,
		Example:           session.Examples("%[1]s audit-desk -n shop", display),
		Args:              session.Takes(1, 1, "a subscription", "ascend webhooks list"),
		ValidArgsFunction: complete(s),
		RunE: func(cmd *cobra.Command, names []string) error {
			if o.timeout <= 0 {
				return session.Usagef(cmd, "--timeout is %s; it must be more than 0", o.timeout)
			}
			return o.run(cmd.Context(), names[0])
		},
	}
	cmd.Flags().DurationVar(&o.timeout, "timeout", defaultTimeout, "wait this long at most for the result")
	return cmd
}

func (o *try) run(ctx context.Context, name string) error {
	cl, namespace, err := o.session.Connect()
	if err != nil {
		return err
	}
	key := client.ObjectKey{Namespace: namespace, Name: name}
	subscription := &v1alpha1.WebhookSubscription{}
	if err := o.session.Read(ctx, cl, kind, key, subscription); err != nil {
		return err
	}
	id := o.id()
	asked := &v1alpha1.WebhookSubscription{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{v1alpha1.TestAnnotation: id}}})
	if err != nil {
		return fmt.Errorf("write the request: %w", err)
	}
	if err := cl.Patch(ctx, asked, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return o.session.Failed(err, "ask for a sample to "+o.named(key))
	}
	waiting, stop := context.WithTimeout(ctx, o.timeout)
	defer stop()
	answered, err := o.await(waiting, cl, key, id)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return o.noAnswer(answered, key)
	case err != nil:
		return o.session.Failed(err, "wait for the result of the sample to "+o.named(key))
	}
	return o.tell(answered)
}

// await reads the subscription until it has the result. When the time is over it
// returns the subscription as it was seen last.
func (o *try) await(ctx context.Context, cl client.Reader, key client.ObjectKey, id string) (*v1alpha1.WebhookSubscription, error) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	var latest *v1alpha1.WebhookSubscription
	for {
		subscription := &v1alpha1.WebhookSubscription{}
		if err := cl.Get(ctx, key, subscription); err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return latest, err
		}
		latest = subscription
		if test := subscription.Status.LastTest; test != nil && test.ID == id {
			return latest, nil
		}
		select {
		case <-ctx.Done():
			return latest, ctx.Err()
		case <-ticker.C:
		}
	}
}

// tell prints how the receiver answered.
func (o *try) tell(subscription *v1alpha1.WebhookSubscription) error {
	test, name := subscription.Status.LastTest, terminal.Safe(subscription.Name)
	if test.Error == "" {
		fmt.Fprintf(o.session.Out, "delivered: %s took the sample (HTTP %d)\n", name, test.StatusCode)
		return nil
	}
	return fmt.Errorf("%s did not take the sample: %s\nThe subscription as the operator sees it: kubectl describe webhooksubscription %s%s",
		name, safeLines(test.Error), name, o.session.NamespaceFlag(subscription.Namespace))
}

// noAnswer says what is known when no result has come.
func (o *try) noAnswer(latest *v1alpha1.WebhookSubscription, key client.ObjectKey) error {
	hint := fmt.Sprintf("Is the operator running? kubectl get pods -n %s", v1alpha1.GlobalNamespace)
	if latest != nil {
		if ready := readiness(latest); ready != nil && ready.Status != metav1.ConditionTrue {
			hint = "The subscription is not ready: " + safeLines(ready.Message)
		}
	}
	return fmt.Errorf("no result of the sample to %s within %s\n%s", o.named(key), o.timeout, hint)
}

func (o *try) named(key client.ObjectKey) string {
	return fmt.Sprintf("subscription %s in namespace %s", terminal.Safe(key.Name), terminal.Safe(key.Namespace))
}
