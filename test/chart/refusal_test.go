// SPDX-License-Identifier: Apache-2.0

package chart_test

import (
	"strings"
	"testing"
)

func TestWrongValuesAreRefusedByName(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arguments []string
		want      []string
	}{
		"no image":          {[]string{"--set=image.repository="}, []string{"image.repository is not set", "docs/operations.md"}},
		"another namespace": {[]string{"--namespace=default"}, []string{"has to be ascend-system, not default", "--namespace ascend-system --create-namespace"}},
		"misspelled":        {[]string{"--set=replicaCount=3"}, []string{"replicaCount"}},
		"misspelled below":  {[]string{"--set=image.repo=x"}, []string{"/image", "repo"}},
		"a name of its own": {[]string{"--set=nameOverride=x"}, []string{"nameOverride"}},
		"no number":         {[]string{"--set=replicas=many"}, []string{"/replicas", "integer"}},
		"no replica":        {[]string{"--set=replicas=0"}, []string{"/replicas", "minimum"}},
		"two that decide":   {[]string{"--set=leaderElection.enabled=false"}, []string{"leaderElection.enabled is false with 2 replicas"}},
		"no boolean":        {[]string{"--set-string=certManager.enabled=false"}, []string{"/certManager/enabled", "boolean"}},
		"a tag in the name": {[]string{"--set=image.repository=example.com/a:v1"}, []string{"/image/repository"}},
		"no digest":         {[]string{"--set=image.digest=abc"}, []string{"/image/digest"}},
		"no pull policy":    {[]string{"--set=image.pullPolicy=Sometimes"}, []string{"/image/pullPolicy", "IfNotPresent"}},
		"one page for all":  {[]string{"--set-string=approvalURL=https://a.example.com/"}, []string{"/approvalURL"}},
		"no flag":           {[]string{"--set=extraArgs={workers=3}"}, []string{"/extraArgs/0"}},
		"a relative log":    {[]string{"--set=auditLog=audit.log"}, []string{"/auditLog"}},
		"a log nowhere":     {[]string{"--set=auditLog=/audit.log"}, []string{"auditLog is /audit.log", "extraVolumeMounts"}},
		"nothing monitored": {
			[]string{"--set=metrics.enabled=false,metrics.serviceMonitor.enabled=true"},
			[]string{"metrics.serviceMonitor.enabled is true, but metrics.enabled is false"},
		},
		"two authorities": {
			[]string{"--set=webhook.clientCA.configMapName=a,webhook.clientCA.secretName=b"},
			[]string{"webhook.clientCA names both the ConfigMap a and the Secret b"},
		},
		"a name alone":         {[]string{"--set=webhook.clientName=x"}, []string{"webhook.clientName is x, which says nothing", "webhook.clientCA.configMapName"}},
		"no name of a file":    {[]string{"--set=webhook.clientCA.key=a/b"}, []string{"/webhook/clientCA/key"}},
		"strict about nothing": {[]string{"--set=starterPolicy.strict=true"}, []string{"starterPolicy.strict is true, but starterPolicy.enabled is false"}},
		"too old a cluster":    {[]string{"--kube-version=1.31.9"}, []string{"requires kubeVersion: >=1.32.0-0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := template(t.Context(), t.TempDir(), test.arguments...)
			if err == nil {
				t.Fatal("it was rendered")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the message lacks %q:\n%v", want, err)
				}
			}
		})
	}
}
