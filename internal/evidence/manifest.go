// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Manifest says what is in a pack and where it is from: manifest.json.
type Manifest struct {
	Framework    Framework     `json:"framework"`
	CreatedAt    time.Time     `json:"createdAt"`
	CreatedBy    string        `json:"createdBy"`
	Since        *time.Time    `json:"since,omitempty"`
	Until        *time.Time    `json:"until,omitempty"`
	Sources      []string      `json:"sources"`
	RecordsRead  int           `json:"recordsRead"`
	Records      int           `json:"records"`
	LinesUnread  int           `json:"linesUnread"`
	Verification *Verification `json:"verification"`
	Totals       Totals        `json:"totals"`
	Controls     []ManifestRow `json:"controls"`
	Chains       []Chain       `json:"chains"`
	Files        []File        `json:"files"`
}

// ManifestRow is a control in a Manifest.
type ManifestRow struct {
	Control string `json:"control"`
	Folder  string `json:"folder"`
	Totals
}

func (p *pack) writeManifest() error {
	files, err := p.to.list()
	if err != nil {
		return err
	}
	s := p.summary
	manifest := Manifest{
		Framework: s.Framework, CreatedAt: s.Options.Now.UTC(), CreatedBy: "ascend " + s.Options.Version,
		Since: bound(s.Options.Filter.Since), Until: bound(s.Options.Filter.Until), Sources: s.Files,
		RecordsRead: s.Read, Records: s.Chosen, LinesUnread: s.Unread, Verification: s.Options.Verification,
		Totals: s.Total, Chains: s.Chains, Files: files,
	}
	for _, control := range s.Controls {
		manifest.Controls = append(manifest.Controls, ManifestRow{string(s.Framework) + ":" + control.ID, control.Folder, control.Totals})
	}
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	text = append(text, '\n')
	sum := sha256.Sum256(text)
	s.ManifestSHA256 = hex.EncodeToString(sum[:])
	to := p.to.create("manifest.json")
	_, err = to.Write(text)
	return cmp.Or(err, to.flush())
}

func bound(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}
