// SPDX-License-Identifier: Apache-2.0

package risk_test

import (
	"errors"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

func TestParseScore(t *testing.T) {
	for text, want := range map[v1alpha1.Score]risk.Score{
		"0": 0, "0.0": 0, "0.1": 1, "4": 40, "5.3": 53, "9.9": 99, "10": 100, "10.0": 100,
	} {
		if got, err := risk.ParseScore(text); err != nil || got != want {
			t.Errorf("ParseScore(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []v1alpha1.Score{
		"", " ", ".", "5.", ".5", "10.1", "11", "05", "5.33", "-1", "+1", "1e1", "NaN", "5,3", "٥", "1\n", "0x1", "10.00",
	} {
		if got, err := risk.ParseScore(text); !errors.Is(err, risk.ErrNotNumber) || got != 0 {
			t.Errorf("ParseScore(%q) = %d, %v, want ErrNotNumber", text, got, err)
		}
	}
}

func TestParseDelta(t *testing.T) {
	for text, want := range map[string]risk.Delta{
		"0": 0, "+0.0": 0, "-0.0": 0, "1": 10, "+1.5": 15, "-2.2": -22, "+10": 100, "-10.0": -100,
	} {
		if got, err := risk.ParseDelta(text); err != nil || got != want {
			t.Errorf("ParseDelta(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "+", "-", "++1", "+-1", "--1", "-+1", "10.1", "-10.1", "1.", "+.5", "1.55", "one", " 1", "1 "} {
		if got, err := risk.ParseDelta(text); !errors.Is(err, risk.ErrNotNumber) || got != 0 {
			t.Errorf("ParseDelta(%q) = %d, %v, want ErrNotNumber", text, got, err)
		}
	}
}

func TestScoreAndDeltaAreWrittenWithOneDecimal(t *testing.T) {
	for score, want := range map[risk.Score]string{0: "0.0", 5: "0.5", 53: "5.3", 100: "10.0"} {
		if got := score.String(); got != want {
			t.Errorf("Score(%d) = %s, want %s", int(score), got, want)
		}
	}
	for delta, want := range map[risk.Delta]string{
		0: "+0.0", 10: "+1.0", -22: "-2.2", -5: "-0.5", 100: "+10.0", -100: "-10.0", 101: "+10.1", -1234: "-123.4",
	} {
		if got := delta.String(); got != want {
			t.Errorf("Delta(%d) = %s, want %s", int(delta), got, want)
		}
	}
}

// CVSS 3.1 specification, section 5: qualitative severity rating scale.
func TestLevelsAreTheBandsOfCVSS(t *testing.T) {
	for score, want := range map[risk.Score]v1alpha1.RiskLevel{
		0: v1alpha1.RiskLevelLow, 39: v1alpha1.RiskLevelLow,
		40: v1alpha1.RiskLevelMedium, 69: v1alpha1.RiskLevelMedium,
		70: v1alpha1.RiskLevelHigh, 89: v1alpha1.RiskLevelHigh,
		90: v1alpha1.RiskLevelCritical, 95: v1alpha1.RiskLevelCritical, 100: v1alpha1.RiskLevelCritical,
	} {
		if got := score.Level(); got != want {
			t.Errorf("Score %s is %s, want %s", score, got, want)
		}
	}
	if risk.FailedScore.String() != "9.5" {
		t.Errorf("FailedScore is %s, want 9.5", risk.FailedScore)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"5.3", "+1.0", "-2.2", "10.0", "", "-", "1e3", "99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if score, err := risk.ParseScore(v1alpha1.Score(text)); err == nil {
			again, err := risk.ParseScore(v1alpha1.Score(score.String()))
			if err != nil || again != score || score < risk.MinScore || score > risk.MaxScore {
				t.Errorf("ParseScore(%q) = %d, written %s, read again %d, %v", text, int(score), score, int(again), err)
			}
		}
		if delta, err := risk.ParseDelta(text); err == nil {
			again, err := risk.ParseDelta(delta.String())
			if err != nil || again != delta || delta < -risk.MaxDelta || delta > risk.MaxDelta {
				t.Errorf("ParseDelta(%q) = %d, written %s, read again %d, %v", text, int(delta), delta, int(again), err)
			}
		}
	})
}
