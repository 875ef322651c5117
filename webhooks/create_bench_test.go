// SPDX-License-Identifier: Apache-2.0

package webhooks_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	servingenvtest "sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/controllers"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/policy"
	"github.com/ow-kai/ascend-operator/internal/ratelimit"
	"github.com/ow-kai/ascend-operator/internal/seal"
	"github.com/ow-kai/ascend-operator/internal/voucher"
	"github.com/ow-kai/ascend-operator/test/envtest"
	"github.com/ow-kai/ascend-operator/webhooks"
)

// exempt is the label of the namespace that admission leaves out here, so that
// both can be measured in turns, on one API server, in one run.
const exempt = "ascend-bench-exempt"

// BenchmarkCreate measures the creation of one action with admission (webhook
// and policies) and without, one after the other in each iteration, and reports
// the median of each in milliseconds, and their difference.
func BenchmarkCreate(b *testing.B) {
	log.SetLogger(logr.Discard())
	config, stop := envtest.Start(b)
	b.Cleanup(stop)
	config.QPS = -1
	kinds := runtime.NewScheme()
	must(b, clientgoscheme.AddToScheme(kinds))
	must(b, v1alpha1.AddToScheme(kinds))
	admin, err := client.New(config, client.Options{Scheme: kinds})
	must(b, err)

	ctx := b.Context()
	must(b, admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "bare", Labels: map[string]string{exempt: "true"}}}))
	store, url, authority := serveFor(b, config, kinds)
	agent := &v1alpha1.Agent{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "agent"}}
	agent.Spec.Subjects = []v1alpha1.Subject{{Kind: v1alpha1.SubjectUser, Name: "bot"}}
	agent.Spec.RateLimit = &v1alpha1.RateLimit{PerMinute: new(int32(1_000_000)), PerHour: new(int32(10_000_000)), PerDay: new(int32(10_000_000))}
	must(b, admin.Create(ctx, agent))
	for store.Snapshot().Agent("default", "agent") == nil {
		time.Sleep(10 * time.Millisecond)
	}
	envtest.InstallAdmissionPolicies(b, config)
	envtest.InstallWebhooks(b, config, url, authority)
	leaveOut(b, admin)

	own := rest.CopyConfig(config)
	own.Impersonate = rest.ImpersonationConfig{UserName: "bot", Groups: []string{"system:masters", "system:authenticated"}}
	bot, err := client.New(own, client.Options{Scheme: kinds})
	must(b, err)
	var with, without []time.Duration
	for b.Loop() {
		with = append(with, create(b, bot, "default"))
		without = append(without, create(b, bot, "bare"))
	}
	slices.Sort(with)
	slices.Sort(without)
	milliseconds := func(all []time.Duration) float64 { return float64(all[len(all)/2].Microseconds()) / 1000 }
	b.ReportMetric(milliseconds(with), "ms-with")
	b.ReportMetric(milliseconds(without), "ms-without")
	b.ReportMetric(milliseconds(with)-milliseconds(without), "ms-admission")
}

// create submits one action and returns how long that took.
func create(b *testing.B, by client.Client, namespace string) time.Duration {
	action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "act-"}}
	action.Spec.AgentRef.Name, action.Spec.ActionType = "agent", "database_read"
	action.Spec.Parameters = &runtime.RawExtension{Raw: []byte(`{"table":"customers","operation":"SELECT","data_classification":"pii"}`)}
	start := time.Now()
	must(b, by.Create(b.Context(), action))
	took := time.Since(start)
	if stamped := action.Spec.Requester != nil; stamped == (namespace == "bare") {
		b.Fatalf("in namespace %s: stamped %t", namespace, stamped)
	}
	return took
}

// leaveOut exempts the namespace bare from everything, which nobody should do
// elsewhere, and waits until it is.
func leaveOut(b *testing.B, admin client.Client) {
	b.Helper()
	selector := map[string]any{"matchExpressions": []any{map[string]any{"key": exempt, "operator": "DoesNotExist"}}}
	for kind, set := range map[string]func(*unstructured.Unstructured){
		"MutatingWebhookConfiguration": func(o *unstructured.Unstructured) {
			hooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
			for i := range hooks {
				hook, isObject := hooks[i].(map[string]any)
				if !isObject {
					b.Fatalf("webhooks[%d] is no object", i)
				}
				hook["namespaceSelector"] = selector
			}
			must(b, unstructured.SetNestedSlice(o.Object, hooks, "webhooks"))
		},
		"ValidatingAdmissionPolicyBinding": func(o *unstructured.Unstructured) {
			must(b, unstructured.SetNestedMap(o.Object, map[string]any{"namespaceSelector": selector}, "spec", "matchResources"))
		},
	} {
		list := &unstructured.UnstructuredList{}
		list.SetAPIVersion("admissionregistration.k8s.io/v1")
		list.SetKind(kind + "List")
		must(b, admin.List(b.Context(), list))
		for i := range list.Items {
			set(&list.Items[i])
			must(b, admin.Update(b.Context(), &list.Items[i]))
		}
	}
	probe := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "bare", Name: "probe"}}
	probe.Spec.AgentRef.Name, probe.Spec.ActionType = "agent", "probe"
	for range 600 {
		if admin.Create(b.Context(), probe.DeepCopy(), client.DryRunAll) == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	b.Fatal("the namespace bare is not exempt after a minute")
}

// serveFor starts the webhooks in this process, and returns their policy, their
// address, and the certificate of who signed theirs.
func serveFor(b *testing.B, config *rest.Config, kinds *runtime.Scheme) (store *policy.Store, url string, authority []byte) {
	b.Helper()
	serving := &servingenvtest.WebhookInstallOptions{}
	must(b, serving.PrepWithoutInstalling())
	b.Cleanup(func() { must(b, serving.Cleanup()) })
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: kinds, Cache: controllers.CacheOptions(), Metrics: metricsserver.Options{BindAddress: "0"},
		WebhookServer: webhook.NewServer(webhook.Options{
			Host: serving.LocalServingHost, Port: serving.LocalServingPort, CertDir: serving.LocalServingCertDir,
		}),
	})
	must(b, err)
	ctx, cancel := context.WithCancel(context.Background())
	store, err = policy.NewStore()
	must(b, err)
	feed, err := policy.NewFeed(ctx, mgr.GetCache(), store)
	must(b, err)
	keys, err := seal.NewRing("00000001", []seal.Key{{ID: "00000001", Secret: make([]byte, 32)}})
	must(b, err)
	current := func() *seal.Ring { return keys }
	must(b, webhooks.Setup(mgr, webhooks.Options{
		Audit: audit.NewLog(&trail{}), Policy: store, Synced: feed.Synced, Ring: current,
		Voucher: voucher.Sealed{Ring: current}, Limiter: ratelimit.New(), Live: mgr.GetAPIReader(),
	}))
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	b.Cleanup(func() { cancel(); must(b, <-ended) })
	must(b, feed.WaitForSync(ctx))
	for mgr.GetWebhookServer().StartedChecker()(&http.Request{}) != nil {
		time.Sleep(10 * time.Millisecond)
	}
	return store, fmt.Sprintf("https://%s", net.JoinHostPort(serving.LocalServingHost, strconv.Itoa(serving.LocalServingPort))), serving.LocalServingCAData
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
