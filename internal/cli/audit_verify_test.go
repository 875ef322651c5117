// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/canonical"
	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/trail"
	"github.com/ow-kai/ascend-operator/internal/trailtest"
)

// dayKey signs the anchor of the Day.
var dayKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, ed25519.SeedSize))

func dayPublicKey() string {
	text, err := x509.MarshalPKIXPublicKey(dayKey.Public())
	if err != nil {
		panic(err) // a key of a test
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: text}))
}

// dayAnchors is the ConfigMap of a cluster whose trail is the Day.
func dayAnchors() *corev1.ConfigMap {
	day := trailtest.Day()
	last := day[len(day)-1]
	id := sha256.Sum256(dayKey[ed25519.SeedSize:]) // RFC 8032: the seed, and then the public key
	checkpoint := audit.Checkpoint{Head: audit.Head{Chain: last.Chain, Sequence: last.Sequence, Hash: last.Hash}, Time: last.Time, KeyID: hex.EncodeToString(id[:8])}
	text, err := canonical.JSON(checkpoint)
	if err != nil {
		panic(err) // a checkpoint is JSON
	}
	checkpoint.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(dayKey, text))
	signed, err := json.Marshal(checkpoint)
	if err != nil {
		panic(err)
	}
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Namespace: v1alpha1.GlobalNamespace, Name: "ascend-audit-anchors"},
		Data:       map[string]string{"chain." + last.Chain: string(signed), "key." + checkpoint.KeyID: dayPublicKey()},
	}
}

// dayActions are decided actions that the Day has records of.
func dayActions(change func(*v1alpha1.AgentAction)) []client.Object {
	var objects []client.Object
	for name, decision := range map[string]v1alpha1.Decision{"act-read": v1alpha1.DecisionApproved, "act-drop": v1alpha1.DecisionApproved, "act-pay": v1alpha1.DecisionDenied, "act-ghi789": v1alpha1.DecisionPending} {
		reason := map[string]string{"act-read": v1alpha1.ReasonAutoApproved, "act-drop": v1alpha1.ReasonApprovalGranted, "act-pay": v1alpha1.ReasonRuleDenied}[name]
		action := newAction(name, "database_read", 0)
		if name == "act-pay" {
			action.Namespace = "payments"
		}
		action.Status.Decision, action.Status.Reason = decision, reason
		action.Status.SpecDigest, action.Status.PolicyRevision = "sha256:9e107d9d372bb6826bd81d3542a419d6", "sha256:1f3b5d7a"
		action.UID = types.UID("uid-" + name)
		if change != nil {
			change(action)
		}
		objects = append(objects, action)
	}
	return objects
}

// damagedDay writes the Day with a change into a file of the test.
func damagedDay(t *testing.T, change func(lines [][]byte) [][]byte) string {
	t.Helper()
	text, err := os.ReadFile(dayLog)
	if err != nil {
		t.Fatal(err)
	}
	lines := change(bytes.SplitAfter(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")))
	return written(t, "audit.log", strings.TrimSuffix(string(bytes.Join(lines, nil)), "\n")+"\n")
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// checkVerify compares what the command says in a pipe with what is kept, files by
// their names.
func checkVerify(t *testing.T, c *cluster, argv ...string) {
	t.Helper()
	transcript := screens["piped"].play(t.Context(), t, c, argv...).transcript(argv)
	for _, word := range argv {
		if filepath.IsAbs(word) {
			transcript = strings.ReplaceAll(transcript, filepath.Dir(word)+"/", "")
		}
	}
	checkGolden(t, transcript)
}

func TestAuditVerify(t *testing.T) {
	t.Setenv("ASCEND_AUDIT_LOG", "")
	anchors, err := yaml.Marshal(dayAnchors())
	if err != nil {
		t.Fatal(err)
	}
	configMap := written(t, "anchors.yaml", string(anchors))
	key := written(t, "audit.pem", dayPublicKey())
	changed := damagedDay(t, func(lines [][]byte) [][]byte {
		lines[12] = bytes.Replace(lines[12], []byte("Approved in all stages"), []byte("Approved in no stages"), 1)
		return lines
	})
	cut := damagedDay(t, func(lines [][]byte) [][]byte { return lines[:20] })
	removed := damagedDay(t, func(lines [][]byte) [][]byte { return append(lines[:7:7], lines[9:]...) })
	older := damagedDay(t, func(lines [][]byte) [][]byte { return lines[9:] })
	spoilt := damagedDay(t, func(lines [][]byte) [][]byte {
		for i := range lines {
			lines[i] = append([]byte("\x1b[2J"), lines[i]...)
		}
		return lines
	})
	mixed := damagedDay(t, func(lines [][]byte) [][]byte {
		return append([][]byte{[]byte("I1122 12:00:00 starting\n"), lines[0], lines[1]}, lines[1:]...)
	})
	for name, argv := range map[string][]string{
		"sound":         {"ascend", "audit", "verify", dayLog},
		"anchors":       {"ascend", "audit", "verify", "--anchors", configMap, "--public-key", key, "--require-proof", dayLog},
		"changed":       {"ascend", "audit", "verify", changed},
		"changed-json":  {"ascend", "audit", "verify", "-o", "json", changed},
		"cut":           {"ascend", "audit", "verify", "--anchors", configMap, cut},
		"cut-unseen":    {"ascend", "audit", "verify", cut},
		"no-proof":      {"ascend", "audit", "verify", "--require-proof", cut},
		"removed":       {"ascend", "audit", "verify", removed},
		"older":         {"ascend", "audit", "verify", older},
		"partial":       {"ascend", "audit", "verify", "--partial", older},
		"spoilt":        {"ascend", "audit", "verify", spoilt},
		"mixed":         {"ascend", "audit", "verify", mixed},
		"collected":     {"ascend", "audit", "verify", "--collected", mixed},
		"twice":         {"ascend", "audit", "verify", dayLog, changed},
		"no-file":       {"ascend", "audit", "verify", "testdata/trail/nowhere.log"},
		"no-log":        {"ascend", "audit", "verify"},
		"format":        {"ascend", "audit", "verify", "-o", "yaml", dayLog},
		"no-anchors":    {"ascend", "audit", "verify", "--anchors", "testdata/trail/nowhere.yaml", dayLog},
		"wrong-anchors": {"ascend", "audit", "verify", "--anchors", key, dayLog},
		"no-key":        {"ascend", "audit", "verify", "--public-key", "testdata/trail/nowhere.pem", dayLog},
		"wrong-key":     {"ascend", "audit", "verify", "--public-key", configMap, dayLog},
	} {
		t.Run(name, func(t *testing.T) { checkVerify(t, &cluster{}, argv...) })
	}
}

func TestAuditVerifyStdin(t *testing.T) {
	text, err := os.ReadFile(dayLog)
	if err != nil {
		t.Fatal(err)
	}
	r := desk{typed: string(text)}.play(t.Context(), t, &cluster{}, "ascend", "audit", "verify", "-o", "json", "-")
	var report struct {
		Sound  bool
		Chains []trail.Chain
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil || r.code != session.ExitOK || !report.Sound || len(report.Chains) != 1 || report.Chains[0].End != trail.EndStopped {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestAuditVerifyAgainstCluster(t *testing.T) {
	argv := []string{"ascend", "audit", "verify", "--against-cluster", dayLog}
	spoilt := dayAnchors()
	spoilt.Data["chain.x"] = "{}"
	forged := dayActions(func(action *v1alpha1.AgentAction) {
		switch action.Name {
		case "act-drop":
			action.UID = "uid-other"
		case "act-pay":
			action.Status.Decision = v1alpha1.DecisionApproved
		}
	})
	unknown := dayAnchors()
	unknown.Data["chain.another"] = strings.ReplaceAll(unknown.Data["chain."+trailtest.Leader], trailtest.Leader, "another")
	for name, c := range map[string]struct {
		objects []client.Object
		argv    []string
	}{
		"sound":            {append(dayActions(nil), dayAnchors()), argv},
		"sound-json":       {append(dayActions(nil), dayAnchors()), append(argv, "-o", "json")},
		"forged":           {append(forged, dayAnchors()), argv},
		"forged-elsewhere": {append(forged, dayAnchors()), append(argv, "-n", "shop")},
		"forged-anchor":    {[]client.Object{unknown}, argv},
		"no-anchors":       {dayActions(nil), argv},
		"spoilt-anchors":   {append(dayActions(nil), spoilt), argv},
	} {
		t.Run(name, func(t *testing.T) { checkVerify(t, &cluster{objects: c.objects}, c.argv...) })
	}
}
