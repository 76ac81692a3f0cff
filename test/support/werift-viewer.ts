/**
 * A viewer that is not ours: werift's RTCPeerConnection receives the camera's stream, and what came is counted.
 *
 * It stands in for a browser where none is installed, and sees what a browser hides: sequence gaps, timestamps.
 */
import { type MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, type RtpPacket } from 'werift';
import type { Daemon } from './daemon.ts';

export interface ReceivedTrack {
  readonly packets: RtpPacket[];
  /** Packets missing between the lowest and the highest sequence number seen. */
  gaps(): number;
}

export class WeriftViewer {
  readonly video = receivedTrack();
  readonly audio = receivedTrack();
  readonly connection: RTCPeerConnection;
  sessionId = '';

  private constructor(connection: RTCPeerConnection) {
    this.connection = connection;
  }

  /** Makes an offer, posts it and takes the answer; resolves before the connection is up. */
  static async open(daemon: Daemon, options: { codec?: 'H264' | 'H265' } = {}): Promise<WeriftViewer> {
    const codec = options.codec ?? 'H264';
    const connection = new RTCPeerConnection({
      iceServers: [],
      bundlePolicy: 'max-bundle',
      codecs: {
        video: [
          new RTCRtpCodecParameters({
            mimeType: `video/${codec}`,
            clockRate: 90_000,
            payloadType: 102,
            rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
            ...(codec === 'H264' && {
              parameters: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
            }),
          }),
        ],
        audio: [
          new RTCRtpCodecParameters({ mimeType: 'audio/PCMU', clockRate: 8000, channels: 1, payloadType: 0 }),
        ],
      },
    });
    const viewer = new WeriftViewer(connection);
    connection.onTrack.subscribe((track: MediaStreamTrack) => {
      const received = track.kind === 'video' ? viewer.video : viewer.audio;
      track.onReceiveRtp.subscribe(packet => received.packets.push(packet));
    });
    connection.addTransceiver('video', { direction: 'recvonly' });
    connection.addTransceiver('audio', { direction: 'recvonly' });
    await connection.setLocalDescription(await connection.createOffer());
    const response = await daemon.fetch('/api/v1/media/live/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'offer', sdp: connection.localDescription!.sdp }),
    });
    const answer = (await response.json()) as { type: 'answer'; sdp: string; session_id: string };
    if (!response.ok) {
      await connection.close();
      throw new Error(`the offer was answered with ${response.status}: ${JSON.stringify(answer)}`);
    }
    viewer.sessionId = answer.session_id;
    await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    return viewer;
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}

function receivedTrack(): ReceivedTrack {
  const packets: RtpPacket[] = [];
  return {
    packets,
    gaps() {
      const numbers = new Set<number>();
      let highest = packets[0]?.header.sequenceNumber ?? 0;
      for (const { header } of packets) {
        // Unwrapped against the highest seen so far.
        highest += ((header.sequenceNumber - highest) << 16) >> 16;
        numbers.add(highest);
      }
      return numbers.size === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers) + 1 - numbers.size;
    },
  };
}
