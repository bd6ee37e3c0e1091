{{- define "vmaf-tune.workerContainer" -}}
{{- $worker := .Values.worker }}
- name: worker
  image: {{ printf "%s:%s" $worker.image.repository ($worker.image.tag | default .Chart.AppVersion) | quote }}
  imagePullPolicy: {{ $worker.image.pullPolicy }}
  {{- if $worker.command }}
  command:
    {{- toYaml $worker.command | nindent 4 }}
  {{- else }}
  command: [/bin/sh, /etc/vmaf-tune/search-folder.sh]
  args:
    - /input
    - /results
    - {{ int $worker.intervalSeconds | quote }}
    - vmaf-tune
    - --crf-search
    {{- with $worker.options }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if .Values.sidecar.trainer.enabled }}
    - --plugin
    - sgd-ema-trainer
    {{- end }}
  {{- end }}
  env:
    {{- include "vmaf-tune.env" . | nindent 4 }}
    {{- include "vmaf-tune.userEnv" $worker.env | trim | nindent 4 }}
  securityContext:
    {{- include "vmaf-tune.containerSecurity" . | nindent 4 }}
  resources:
    {{- toYaml $worker.resources | nindent 4 }}
  volumeMounts:
    - name: config
      mountPath: /etc/vmaf-tune
      readOnly: true
    - name: worker-tmp
      mountPath: /tmp
    - name: input
      mountPath: /input
      readOnly: {{ $worker.input.readOnly }}
    - name: results
      mountPath: /results
    - name: cache
      mountPath: /var/cache/vmaf-tune
    - name: models
      mountPath: /var/lib/vmaf-tune/models
      readOnly: true
    {{- if .Values.sidecar.trainer.enabled }}
    - name: trainer-socket
      mountPath: /run/vmaf-tune
    - name: spool
      mountPath: /var/cache/vmaf-tune/trainer
    {{- end }}
{{- end }}
