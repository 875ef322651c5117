// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/config"
)

func TestWebhooksAt(t *testing.T) {
	objects, err := config.Webhooks()
	if err != nil {
		t.Fatal(err)
	}
	text, err := webhooksAt(objects, "127.0.0.1:20443")
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Kind  string `json:"kind"`
		Items []struct {
			Webhooks []struct {
				Name         string         `json:"name"`
				ClientConfig map[string]any `json:"clientConfig"`
			} `json:"webhooks"`
		} `json:"items"`
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	if list.Kind != "List" || len(list.Items) != 2 {
		t.Fatalf("got a %s of %d, want a List of 2", list.Kind, len(list.Items))
	}
	seen := 0
	for _, item := range list.Items {
		for _, webhook := range item.Webhooks {
			seen++
			url, _ := webhook.ClientConfig["url"].(string)
			if len(webhook.ClientConfig) != 1 || !strings.HasPrefix(url, "https://127.0.0.1:20443/") {
				t.Errorf("%s: clientConfig is %v, want the url alone, with a path", webhook.Name, webhook.ClientConfig)
			}
		}
	}
	if seen != 8 {
		t.Errorf("got %d webhooks, want 8", seen)
	}
}
